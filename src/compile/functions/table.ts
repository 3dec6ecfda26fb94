/** The implementations of all functions that have no kernel for every type, under the names of src/plan/functions. */
import type { RowFunction } from '../row-function.ts'
import { operatorFunctions } from './operators.ts'

export const rowFunctions: Readonly<Record<string, RowFunction>> = {
  ...operatorFunctions,
}
