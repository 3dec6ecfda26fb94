/**
 * JSON_OBJECT and JSON_ARRAY to plain arguments: first what a NULL becomes, 'NULL' or 'ABSENT', then keys and values by turns, or elements.
 *
 *   JSON_OBJECT([[KEY] k VALUE v, ...] [{NULL | ABSENT} ON NULL])    NULL ON NULL unless told
 *   JSON_ARRAY([v, ...] [{NULL | ABSENT} ON NULL])                   ABSENT ON NULL unless told
 */
import type { ExpressionSyntax } from '../syntax.ts'
import {
  atSymbol,
  atWords,
  type Cursor,
  expectWord,
  peek,
  takeSymbol,
  takeWords,
} from './cursor.ts'
import { POWER } from './power.ts'

type ParseExpression = (cursor: Cursor, power?: number) => ExpressionSyntax

/** The cursor is behind `(`; it is left at `)`. */
export function parseJsonObject(cursor: Cursor, expression: ParseExpression): ExpressionSyntax[] {
  const { at } = peek(cursor)
  const members: ExpressionSyntax[] = []
  if (!atEnd(cursor)) {
    do {
      takeWords(cursor, 'KEY')
      members.push(expression(cursor, POWER.operand))
      if (!takeSymbol(cursor, ':')) expectWord(cursor, 'VALUE', 'in JSON_OBJECT(KEY k VALUE v)')
      members.push(expression(cursor))
    } while (takeSymbol(cursor, ','))
  }
  return [whenNull(cursor, 'NULL', at), ...members]
}

/** The cursor is behind `(`; it is left at `)`. */
export function parseJsonArray(cursor: Cursor, expression: ParseExpression): ExpressionSyntax[] {
  const { at } = peek(cursor)
  const elements: ExpressionSyntax[] = []
  if (!atEnd(cursor)) {
    do elements.push(expression(cursor))
    while (takeSymbol(cursor, ','))
  }
  return [whenNull(cursor, 'ABSENT', at), ...elements]
}

function atEnd(cursor: Cursor): boolean {
  return atSymbol(cursor, ')') || atWords(cursor, 'NULL', 'ON') || atWords(cursor, 'ABSENT', 'ON')
}

function whenNull(
  cursor: Cursor,
  unlessTold: 'NULL' | 'ABSENT',
  at: ExpressionSyntax['at'],
): ExpressionSyntax {
  let value: string = unlessTold
  if (takeWords(cursor, 'NULL', 'ON', 'NULL')) value = 'NULL'
  else if (takeWords(cursor, 'ABSENT', 'ON', 'NULL')) value = 'ABSENT'
  return { kind: 'literal', literal: { kind: 'string', value }, at }
}
