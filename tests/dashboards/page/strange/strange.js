// import { nothing } from "./comment.js"; </script>
import { half as twoth, Thing } from "./deep/other.js"; // a comment with an "export"
import { $dollar, tag } from "./deep/other.js";

/* export function commented() {}
   import("x") */
export const TEXT = "import { a } from './b.js';\nexport default 1 // </script><!-- <script>";
const single = 'it\'s "export const x = 1, y = 2" /* no comment */';
const template = `
export function inside() { return "${twoth(8) + `nested ${"}"} ${((a) => { return `${a}`; })("</script>")}`}"; }
import { x } from "./y.js";   

// kept, with its blank line above
`;
const regex = /[/"'`]export\/(?:<\/script>|<!--)/giu;
const divided = (4 + 4) / 2 / 1; const after = [8][0] / 2 / 2;
let counter = 8; const decremented = counter-- / 2 / 2;
export class Strange extends Thing {
  #hidden = { import: 1, export: 2, return: 4 };
  get export() { return this.#hidden.import / this.#hidden.return / 1; }
  async *many() { yield* [/}/.source]; await null; }
}
export async function later() { return await 1; }
export function* counted() { yield "\u2028\\"; }
const waits = async () => await later();
if (counter) /ab+c/.test("abc") && counter--;
export const arrow = (a, b = `,;${a}`) => ({ a, b, c: [a, b] });
export function answer() {
  "a regex after return"; const found = () => { return /}`/.exec("}`").index; };
  globalThis.answered = [TEXT, single, template, regex.test('"export/<!--'), divided, after, decremented,
    counter, new Strange().export, typeof later, typeof waits, [...counted()], arrow(1), found(), $dollar, tag`a</b`, new Thing().name];
}
