/**
 * Templates of URLs and bodies: `{{column}}` stands for a column of the row.
 *
 *   in a URL                     the value's text, percent-encoded: it can't leave the place where it stands
 *   in a body, alone in quotes   "{{amount}}": the value as JSON has it, number, text, NULL or object
 *   in a body, within a text     "{{shop}} is silent": the value's text; NULL is empty
 *
 * A body's template is JSON itself, so that what comes of it is JSON, whatever a row holds.
 */

/** The JSON text of a column's value. @throws never: columns were checked */
export type ValueText = (column: string) => string

export interface Template {
  readonly columns: readonly string[]
  fill(value: ValueText): string
}

/** Why a text is no template. */
export class TemplateFault extends Error {
  override readonly name = 'TemplateFault'
}

const PLACE = /\{\{\s*([^{}]*?)\s*\}\}/g

export function urlTemplate(text: string): Template {
  return {
    columns: placesIn(text),
    fill: (value) =>
      text.replace(PLACE, (_, column: string) => encodeURIComponent(plainText(value(column)))),
  }
}

/** @throws TemplateFault if it is no JSON; the text is not told, since it may hold secrets */
export function bodyTemplate(text: string): Template {
  const parsed = parsedTemplate(text)
  const columns = new Set<string>()
  visitTexts(parsed, (each) => {
    for (const column of placesIn(each)) columns.add(column)
  })
  return { columns: [...columns], fill: (value) => filled(parsed, value) }
}

function parsedTemplate(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new TemplateFault(
      'it is no JSON: {{column}} stands in quotes, "{{column}}", also for numbers',
    )
  }
}

function filled(part: unknown, value: ValueText): string {
  if (typeof part === 'string') return filledText(part, value)
  if (Array.isArray(part)) return `[${part.map((each) => filled(each, value)).join(',')}]`
  if (typeof part !== 'object' || part === null) return JSON.stringify(part)
  const members = Object.entries(part).map(
    ([name, member]) => `${JSON.stringify(name)}:${filled(member, value)}`,
  )
  return `{${members.join(',')}}`
}

function filledText(text: string, value: ValueText): string {
  const alone = /^\{\{\s*([^{}]*?)\s*\}\}$/.exec(text)
  if (alone !== null) return value(alone[1]!)
  return JSON.stringify(text.replace(PLACE, (_, column: string) => plainText(value(column))))
}

/** As it reads: without quotes, NULL as nothing. */
function plainText(json: string): string {
  if (json === 'null') return ''
  return json.startsWith('"') ? (JSON.parse(json) as string) : json
}

function visitTexts(part: unknown, visit: (text: string) => void): void {
  if (typeof part === 'string') visit(part)
  else if (typeof part === 'object' && part !== null)
    for (const member of Object.values(part)) visitTexts(member, visit)
}

function placesIn(text: string): string[] {
  return [...text.matchAll(PLACE)].map((match) => match[1]!)
}
