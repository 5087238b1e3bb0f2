// Calls the plots' modules for the tests in node: `{bundle, state, more, calls}` a line; each call names what it asks for.

import { createInterface } from "node:readline";
import { answer, decoded, encoded } from "./driver.mjs";
