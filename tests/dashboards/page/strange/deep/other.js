export const $dollar = "$";
export function half(x) { return x / 2; }
export class Thing { name = "thing"; }
export function tag(strings) { return strings.raw[0]; }
