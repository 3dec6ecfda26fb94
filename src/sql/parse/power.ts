/** How tightly the operators of an expression bind: more is tighter. */
export const POWER = {
  none: 0,
  or: 10,
  and: 20,
  not: 30,
  is: 40,
  comparison: 50,
  /** BETWEEN, IN, LIKE. */
  range: 60,
  /** What BETWEEN and IN take as operands. */
  operand: 65,
  sum: 70,
  product: 80,
  concat: 85,
  sign: 90,
  access: 100,
} as const
