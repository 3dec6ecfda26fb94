/** The interview: the questions of a needs file, asked in a terminal. Answers become a file that can be kept and changed. */
import { createInterface } from 'node:readline'
import { stringify } from 'yaml'
import {
  CLOUDS,
  COMPLIANCE,
  CONSEQUENCES,
  ENGINES,
  LOSSES,
  PLATFORMS,
  WHATS,
} from '../advise/needs/needs.ts'
import {
  BYTE_COUNT,
  DURATION,
  HOURS_A_MONTH,
  MEASURED,
  MEASURED_BY,
  MONEY_A_MONTH,
  MONEY_AN_HOUR,
  RATE,
} from '../advise/needs/quantities.ts'
import { usageError } from './command.ts'
import type { Io } from './io.ts'

interface Question {
  readonly ask: string
  /** What to write. */
  readonly like: string
  /** What an empty answer means; '' leaves the field out. Absent: it has to be answered. */
  readonly fallback?: string
  /** The answer is a list, with commas. */
  readonly isList?: true
  readonly isAnswer: (text: string) => boolean
}

const word = (ask: string, known: readonly string[], fallback: string): Question => ({
  ask,
  like: known.join(', '),
  fallback,
  isAnswer: (text) => known.includes(text),
})
const figure = (
  ask: string,
  like: string,
  patterns: readonly RegExp[],
  fallback?: string,
): Question => ({
  ask,
  like,
  isAnswer: (text) => patterns.some((pattern) => pattern.test(text)),
  ...(fallback === undefined ? {} : { fallback }),
})
const prose = (ask: string, like: string): Question => ({
  ask,
  like,
  isAnswer: (text) => text.trim() !== '',
})
const words = (ask: string, known: readonly string[], fallback = ''): Question => ({
  ...word(ask, known, fallback),
  isList: true,
})
const names = (ask: string, like: string): Question => ({
  ...figure(ask, like, [NAME], ''),
  isList: true,
})

const NAME = /^[a-z][a-z0-9-]{0,62}$/

/** By field; a dot leads into a map. */
const CONTEXT: Readonly<Record<string, Question>> = {
  clouds: words('Where may it run?', CLOUDS, 'aws'),
  regions: { ...prose('In which regions?', 'eu-west-1'), fallback: '', isList: true },
  compliance: words('What has to be complied with?', COMPLIANCE),
  platforms: words('Where do the events arrive already?', PLATFORMS),
  engines: words('Which engines run already?', ENGINES),
  readers: names('What opens the tables?', 'snowflake, athena, duckdb'),
  skills: names('What does the team know?', 'sql, typescript, kafka'),
  batchLayer: word('Is there a batch layer?', ['none', 'may-go', 'must-stay'], 'none'),
  newSystems: word('May there be new systems?', ['allowed', 'refused'], 'allowed'),
  'operations.hours': figure(
    'How many hours are there to operate it?',
    '20 h/month',
    [HOURS_A_MONTH],
    '',
  ),
  'operations.price': figure('What does such an hour cost?', '100 USD/h', [MONEY_AN_HOUR], ''),
  'availability.survives': word('What may be lost without it stopping?', LOSSES, 'machine'),
  'availability.rto': figure('How soon must it run again?', '15 min', [DURATION], '1 h'),
  'availability.rpo': figure('How much may be lost, in time?', '0 s, 5 min', [DURATION], '0 s'),
  budget: figure('What may it cost, hours included?', '2000 USD/month', [MONEY_A_MONTH], ''),
}

const measured = ', measured from TOPIC'
const OUTPUT: Readonly<Record<string, Question>> = {
  name: figure('What is the output called?', 'lower case: fraud-check', [NAME]),
  what: word('What is it?', WHATS, 'dashboard'),
  actor: prose('Who or what acts on it?', 'shop managers'),
  ifOneHourOld: prose('What breaks if the data is one hour old?', 'nothing'),
  consequence: word('So what is the consequence?', CONSEQUENCES, 'nothing'),
  lossIfOneHourOld: figure(
    'What does it cost that it is an hour old?',
    '500 USD/month',
    [MONEY_A_MONTH],
    '',
  ),
  freshness: figure('How old may the result be?', '10 s, 15 min, 1 h, 1 d', [DURATION], '1 h'),
  from: figure(
    'Which stream is it made of?',
    'outputs of one stream share it: payments',
    [NAME],
    '',
  ),
  rate: figure('How many events, in the mean?', `50/s, 2 k/s, 5 M/d${measured}`, [RATE, MEASURED]),
  peak: figure('And in the busiest minute?', `200/s${measured}`, [RATE, MEASURED], ''),
  bytes: figure(
    'How large is an event?',
    `800 B, 2 KB${measured}`,
    [BYTE_COUNT, MEASURED],
    '500 B',
  ),
  history: figure(
    'How far back must it be computed anew?',
    `7 d, 90 d${measured}`,
    [DURATION, MEASURED],
    '7 d',
  ),
  lateness: figure(
    'How late do events come?',
    `30 s, 2 d${measured} by FIELD`,
    [DURATION, MEASURED_BY],
    '',
  ),
  state: figure(
    'How much must be remembered at once?',
    `100 MB, 2 GB${measured} by KEY`,
    [BYTE_COUNT, MEASURED_BY],
    '100 MB',
  ),
  correctness: word(
    'Must each event count just once?',
    ['exactly-once', 'at-least-once'],
    'exactly-once',
  ),
}

/**
 * Asks until the output list ends; the answer is the text of a needs file. Lines typed ahead are taken.
 * @throws USAGE_INVALID if the input ends before the answers do
 */
export async function interview(io: Io): Promise<string> {
  // Without `output`: the terminal's own line editing and echo are all that is needed.
  const reader = createInterface({ input: io.stdin, terminal: false })
  const typed = reader[Symbol.asyncIterator]()
  try {
    io.out(io.style.strong('What do you need? An empty answer takes what stands in brackets.'))
    io.out('')
    const context = await answers(typed, io, CONTEXT)
    const outputs: Answers[] = []
    const more = word('Another output?', ['yes', 'no'], 'no')
    do {
      io.out('')
      outputs.push(await answers(typed, io, OUTPUT))
    } while ((await answer(typed, io, more)) === 'yes')
    return stringify({ context, outputs })
  } finally {
    reader.close()
  }
}

interface Answers {
  [field: string]: string | string[] | Answers
}

/** A field that is left out is not there. */
async function answers(
  typed: AsyncIterator<string>,
  io: Io,
  questions: Readonly<Record<string, Question>>,
): Promise<Answers> {
  const all: Answers = {}
  const maps = new Map<string, Answers>()
  for (const [path, question] of Object.entries(questions)) {
    const text = await answer(typed, io, question)
    if (text === '') continue
    const value = question.isList === true ? listOf(text) : text
    const [field = '', inner] = path.split('.')
    if (inner === undefined) all[field] = value
    else {
      const map = maps.get(field) ?? {}
      map[inner] = value
      maps.set(field, map)
      all[field] = map
    }
  }
  return all
}

async function answer(
  typed: AsyncIterator<string>,
  io: Io,
  { ask, like, fallback, isList, isAnswer }: Question,
): Promise<string> {
  const bracket = fallback === undefined ? '' : ` [${fallback === '' ? 'none' : fallback}]`
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
    if (isList === true ? listOf(text).every(isAnswer) : isAnswer(text)) return text
    io.out(io.style.warning(`  write one like: ${like}`))
  }
}

function listOf(text: string): string[] {
  return text.split(',').map((each) => each.trim())
}
