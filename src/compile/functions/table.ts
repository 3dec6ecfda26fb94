/** The implementations of all functions that have no kernel for every type, under the names of src/plan/functions. */
import type { RowFunction } from '../row-function.ts'
import { collectionFunctions } from './collections.ts'
import { jsonFunctions } from './jsons.ts'
import { numberFunctions } from './numbers.ts'
import { operatorFunctions } from './operators.ts'
import { regexpFunctions } from './regexps.ts'
import { textFunctions } from './texts.ts'
import { timeFunctions } from './times.ts'

export const rowFunctions: Readonly<Record<string, RowFunction>> = {
  ...operatorFunctions,
  ...numberFunctions,
  ...textFunctions,
  ...regexpFunctions,
  ...timeFunctions,
  ...jsonFunctions,
  ...collectionFunctions,
}
