// The text that is read, where its values go, and what is wrong with it.
// @ts-nocheck: compiled by asc, not by tsc

export const E_OBJECT = 1, E_KEY = 2, E_COLON = 3, E_BRACE = 4, E_BRACKET = 5, E_VALUE = 6, E_LITERAL = 7, E_NUMBER = 8, E_CONTROL = 9, E_ESCAPE = 10,
  E_UNENDED = 11, E_UTF8 = 12, E_DEPTH = 13, E_AFTER = 14, E_ROOM = 15, E_NOTHING = 16;
// From here on the JSON is sound, a column is not.
export const C_TYPE = 20, C_RANGE = 21, C_NULL = 22, C_FORMAT = 23;
export const DEPTH_MAX: i32 = 128;

export let end: usize = 0;
export let heap: usize = 0;
export let heapEnd: usize = 0;
export let error: i32 = 0;
export let errorAt: usize = 0;
export let errorEnd: usize = 0;
export let errorNode: usize = 0;

export function errorCode(): i32 { return error; }
export function errorAddress(): usize { return errorAt; }
export function errorStop(): usize { return errorEnd; }
export function errorNodeNumber(): u32 { return errorNode ? load<u32>(errorNode, 40) : 0; }
/** Where unescaped strings and encoded arrays go: at least 64 bytes are kept free behind. */
export function setHeap(from: usize, to: usize): void { heap = from; heapEnd = to; }

/** Where the text that is read ends. */
// @ts-ignore
@inline export function setEnd(at: usize): void { end = at; }
// @ts-ignore
@inline export function setHeapAt(at: usize): void { heap = at; }
// @ts-ignore
@inline export function peek(p: usize): u32 { return p < end ? <u32>load<u8>(p) : 0; }
// @ts-ignore
@inline export function digit(p: usize): u32 { return peek(p) - 48; }
export function fail(code: i32, at: usize): usize { error = code; errorAt = at; errorNode = 0; return 0; }
export function refuse(code: i32, node: usize, at: usize, stop: usize): usize { error = code; errorAt = at; errorEnd = stop; errorNode = node; return 0; }
// @ts-ignore
@inline export function space(p: usize): usize {
  let c = peek(p);
  while (c == 32 || c == 10 || c == 13 || c == 9) { p++; c = peek(p); }
  return p;
}
