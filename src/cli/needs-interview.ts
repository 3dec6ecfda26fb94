/** The interview: the questions of a needs file, asked in a terminal. Answers become a file that can be kept and changed. */
import { createInterface } from 'node:readline'
import { CLOUDS, CONSEQUENCES, LOSSES, WHATS } from '../advise/needs/needs.ts'
import { BYTE_COUNT, DURATION, RATE } from '../advise/needs/quantities.ts'
import { usageError } from './command.ts'
import type { Io } from './io.ts'

interface Question {
  readonly ask: string
  /** What to write, and what an empty answer means. */
  readonly like: string
  readonly fallback?: string
  readonly isAnswer: (text: string) => boolean
}

const word = (ask: string, known: readonly string[], fallback: string): Question => ({
  ask,
  like: known.join(', '),
  fallback,
  isAnswer: (text) => known.includes(text),
})
const figure = (ask: string, like: string, pattern: RegExp, fallback?: string): Question => ({
  ask,
  like,
  isAnswer: (text) => pattern.test(text),
  ...(fallback === undefined ? {} : { fallback }),
})
const prose = (ask: string, like: string): Question => ({
  ask,
  like,
  isAnswer: (text) => text.trim() !== '',
})

const NAME = /^[a-z][a-z0-9-]{0,62}$/

const OUTPUT: Readonly<Record<string, Question>> = {
  name: figure('What is the output called?', 'lower case: fraud-check', NAME),
  what: word('What is it?', WHATS, 'dashboard'),
  actor: prose('Who or what acts on it?', 'shop managers'),
  ifOneHourOld: prose('What breaks if the data is one hour old?', 'nothing'),
  consequence: word('So what is the consequence?', CONSEQUENCES, 'nothing'),
  freshness: figure('How old may the result be?', '10 s, 15 min, 1 h, 1 d', DURATION, '1 h'),
  rate: figure('How many events, in the mean?', '50/s, 2 k/s, 5 M/d', RATE),
  peak: figure('And in the busiest minute?', '200/s', RATE),
  bytes: figure('How large is an event?', '800 B, 2 KB', BYTE_COUNT, '500 B'),
  history: figure('How far back must it be computed anew?', '7 d, 90 d', DURATION, '7 d'),
  lateness: figure('How late do events come?', '30 s, 2 d', DURATION, '1 min'),
  state: figure('How much must be remembered at once?', '100 MB, 2 GB', BYTE_COUNT, '100 MB'),
}

/**
 * Asks until the output list ends; the answer is the text of a needs file. Lines typed ahead are taken.
 * @throws USAGE_INVALID if the input ends before the answers do
 */
export async function interview(io: Io): Promise<string> {
  // Without `output`: the terminal's own line editing and echo are all that is needed.
  const reader = createInterface({ input: io.stdin, terminal: false })
  const typed = reader[Symbol.asyncIterator]()
  const ask = (question: Question) => answer(typed, io, question)
  try {
    io.out(io.style.strong('What do you need? An empty answer takes what stands in brackets.'))
    const cloud = await ask(word('Where may it run?', CLOUDS, 'aws'))
    const survives = await ask(word('What may be lost without it stopping?', LOSSES, 'machine'))
    const lines = [
      'context:',
      `  clouds: [${cloud}]`,
      `  availability: { survives: ${survives} }`,
      'outputs:',
    ]
    do {
      io.out('')
      const fields = Object.entries(OUTPUT)
      for (const [index, [field, question]] of fields.entries()) {
        const text = await ask(question)
        lines.push(`  ${index === 0 ? '-' : ' '} ${field}: ${yamlText(text)}`)
      }
    } while ((await ask(word('Another output?', ['yes', 'no'], 'no'))) === 'yes')
    return `${lines.join('\n')}\n`
  } finally {
    reader.close()
  }
}

async function answer(
  typed: AsyncIterator<string>,
  io: Io,
  { ask, like, fallback, isAnswer }: Question,
): Promise<string> {
  const bracket = fallback === undefined ? '' : ` [${fallback}]`
  for (;;) {
    io.write(`${ask} ${io.style.faint(`(${like})`)}${bracket} `)
    const line = await typed.next()
    if (line.done === true)
      throw usageError(
        'the answers ended before the questions',
        'write a file: examples/needs has some',
      )
    const text = line.value.trim()
    if (text === '' && fallback !== undefined) return fallback
    if (isAnswer(text)) return text
    io.out(io.style.warning(`  write one like: ${like}`))
  }
}

/** JSON strings are YAML: no answer can end its line. */
function yamlText(text: string): string {
  return /^[\w ./-]+$/.test(text) ? text : JSON.stringify(text)
}
