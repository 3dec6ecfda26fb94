/**
 * Users' functions in typed pipelines. SQL declares a function by its module; here its value gives the types of a call:
 *
 *   CREATE FUNCTION risk AS './risk.ts#risk' LANGUAGE TYPESCRIPT
 *
 *   const riskOf = declared('risk', risk)
 *   payments.select((p) => ({ risk: riskOf(p.country, p.cents) }))
 */
import type { DataType } from '../data/types.ts'
import type { Value } from '../data/values.ts'
import type { Column, Kind } from './columns.ts'
import type { Constant } from './constants.ts'
import {
  type Expression,
  expressionOf,
  type FromOf,
  type Operand,
  type Origin,
  type TextKind,
  textOf,
} from './expression.ts'
import { requireName } from './functions.ts'

declare const SIGNATURE: unique symbol

/** Carries what a function takes and gives, and whether it makes that of rows or of groups; there is no such property. */
export interface Signed<
  Args extends readonly Column<Value>[],
  Given extends Value,
  Of extends Kind,
  From extends Origin,
> {
  readonly [SIGNATURE]?: readonly [args: Args, given: Given, of: Of, from: From]
}

/** Kinds whose values a parameter holds. */
type HeldBy<Of extends Kind> = Of extends TextKind
  ? TextKind
  : Of extends 'bigint'
    ? Of | 'int' | 'smallint' | 'tinyint'
    : Of extends 'int'
      ? Of | 'smallint' | 'tinyint'
      : Of
/** How a value comes from an expression of one of these kinds: smaller whole numbers come as numbers. */
type ComesAs<Told, Of extends Kind> = Of extends 'bigint' ? Told | number : Told

type Argument<Parameter, From extends Origin> =
  Parameter extends Column<infer Told, infer Of>
    ?
        | Expression<ComesAs<Told, Of>, HeldBy<Of>, From>
        | Expression<NonNullable<ComesAs<Told, Of>>, HeldBy<Of>, From>
        | (NonNullable<ComesAs<Told, Of>> & Constant)
    : never
type Arguments<Args extends readonly Column<Value>[], From extends Origin> = {
  readonly [At in keyof Args]: Argument<Args[At], From>
}

/**
 * Calls of a scalar function, asynchronous or not, or of an aggregate, under the name that CREATE FUNCTION gives it: in a table file, or
 * in `open({ tables })`. What it takes and gives is checked again when the pipeline is bound. @throws FUNCTION_NAME_INVALID
 */
export function declared<
  Args extends readonly Column<Value>[],
  Given extends Value,
  Of extends Kind,
  From extends Origin,
>(
  name: string,
  {
    args,
    returns,
  }: { readonly args: readonly DataType[]; readonly returns: DataType } & Signed<
    Args,
    Given,
    Of,
    From
  >,
): <const Passed extends Arguments<Args, [From] extends ['group'] ? 'row' : Origin>>(
  ...passed: Passed
) => Expression<Given, Of, [From] extends ['group'] ? 'group' : FromOf<Passed[number]>> {
  requireName(name)
  return (...passed) => {
    const texts = (passed as readonly Operand[]).map((each, at) => textOf(each, args[at]?.kind))
    return expressionOf(`${name}(${texts.join(', ')})`, returns.kind as Of)
  }
}
