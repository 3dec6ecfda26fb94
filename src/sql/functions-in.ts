/** The functions that a script declares: their modules are loaded before it is bound. */
import { parseScript } from './parse/parse-script.ts'

/** Never throws for what the text says. */
export function functionsIn(
  text: string,
): readonly { readonly module: string; readonly export: string }[] {
  return parseScript(text).statements.flatMap((statement) =>
    statement.kind === 'create-function'
      ? [{ module: statement.module, export: statement.export }]
      : [],
  )
}
