/** CREATE FUNCTION name AS './module.ts#export' LANGUAGE TYPESCRIPT. */
import { type Place, spanning } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import type { CreateFunction } from '../statements.ts'
import {
  type Cursor,
  expectString,
  expectWord,
  lastTaken,
  peek,
  qualifiedName,
  takeWords,
  unexpected,
} from './cursor.ts'

const LANGUAGES = ['TYPESCRIPT', 'JAVASCRIPT']
const EXAMPLE = "CREATE FUNCTION risk AS './risk.ts#risk' LANGUAGE TYPESCRIPT"

/** The cursor is behind FUNCTION. @throws SQL_SYNTAX, SQL_UNSUPPORTED */
export function parseCreateFunction(cursor: Cursor, start: Place): CreateFunction {
  const ifNotExists = takeWords(cursor, 'IF', 'NOT', 'EXISTS')
  const name = qualifiedName(cursor, 'the name of the function')
  expectWord(cursor, 'AS', 'and the function behind its name')
  const source = expectString(cursor, 'the module and its export in quotes')
  const hash = source.text.lastIndexOf('#')
  if (hash <= 0 || hash === source.text.length - 1)
    throw new SqlError('SQL_SYNTAX', source.at, {
      message: `'${source.text}' names no function of a module`,
      hint: `write the path, # and the name that it exports: ${EXAMPLE}`,
    })
  if (!takeWords(cursor, 'LANGUAGE')) throw unexpected(cursor, 'LANGUAGE TYPESCRIPT', [], EXAMPLE)
  const { upper, at } = peek(cursor)
  if (!LANGUAGES.some((language) => takeWords(cursor, language)))
    throw new SqlError('SQL_UNSUPPORTED', at, {
      message: `functions in ${upper || 'that language'} are not supported`,
      hint: `write it in TypeScript: ${EXAMPLE}`,
    })
  return {
    kind: 'create-function',
    name,
    ifNotExists,
    module: source.text.slice(0, hash),
    export: source.text.slice(hash + 1),
    sourceAt: source.at,
    at: spanning(start, lastTaken(cursor).at),
  }
}
