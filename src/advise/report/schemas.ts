/** The JSON Schemas of what goes in and out, made from the shapes that check it. */
import { z } from 'zod'
import { ownPricesShape } from '../cost/own-prices.ts'
import { needsShape } from '../needs/shape.ts'
import { adviceShape } from './shape.ts'

/** By the name that `--schema` takes and their files in docs/schemas have. */
export const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  needs: needsShape,
  advice: adviceShape,
  prices: ownPricesShape,
}

/** JSON Schema 2020-12, with a line end. */
export function schemaText(name: string): string {
  const schema = SCHEMAS[name]
  return `${JSON.stringify(schema === undefined ? {} : z.toJSONSchema(schema), null, 2)}\n`
}
