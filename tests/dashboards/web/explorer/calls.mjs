// Calls functions of the page's modules for the tests: lines of {module, name, calls} in, lines of answers out.

import { createInterface } from "node:readline";

const WEB = "../../../../dashboards/web/";

/** A function, or one that stands in a catalogue: `WORDS.gains.of`. */
const found = (module, name) => name.split(".").reduce((place, key) => place[key], module);

/** Numbers that JSON lacks. */
const revived = (key, value) => (value && typeof value === "object" && "$number" in value ? Number(value.$number) : value);

function answered(asked, calls) {
  try {
    return { answers: calls.map((given) => asked(...given)) };
  } catch (error) {
    return { error: String(error.stack) };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { module, name, calls } = JSON.parse(line, revived);
  const asked = found(await import(WEB + module).catch((error) => ({ [name]: () => { throw error; } })), name);
  process.stdout.write(JSON.stringify(answered(asked, calls)) + "\n");
}
