/**
 * Nexmark's events, with the published distributions: of 50 events 1 is a person, 3 are auctions, 46 are bids.
 *
 * Event n has the time `baseTimeMs + n * 1000 / eventsPerSecond`; its other values come from a random generator with a
 * seed of its own, so a stream is the same on every machine. Values are JSON text: `nested` is the published event
 * topic ({"event_type":..,"person":..,"auction":..,"bid":..}), `flat` is bids alone.
 *
 * @see nexmark/nexmark, NexmarkConfiguration (defaults) and the generators of its `generator.model` package
 */
import { timestampText } from '../../src/data/civil.ts'
import { type SeededRandom, seededRandom } from './random.ts'

export interface NexmarkOptions {
  readonly seed: number
  readonly layout: 'flat' | 'nested'
  /** Of event time, all kinds of events together. */
  readonly eventsPerSecond: number
  readonly baseTimeMs: number
}

export const NEXMARK_DEFAULTS: NexmarkOptions = {
  seed: 42,
  layout: 'flat',
  eventsPerSecond: 100_000,
  baseTimeMs: Date.UTC(2026, 0, 1),
}

const PERSON_SHARE = 1
const AUCTION_SHARE = 3
const EPOCH_EVENTS = 50
const FIRST_ID = 1000
const FIRST_CATEGORY = 10
const CATEGORIES = 5
const ACTIVE_PEOPLE = 1000
const IN_FLIGHT_AUCTIONS = 100
const ID_LEAD = 10
const HOT_BATCH = 100
const HOT_AUCTION_RATIO = 2
const HOT_SELLER_RATIO = 4
const HOT_BIDDER_RATIO = 4
const PERSON_BYTES = 200
const AUCTION_BYTES = 500
const BID_BYTES = 100
const CHANNELS = 10_000
const HOT_CHANNELS = ['Google', 'Facebook', 'Baidu', 'Apple']
const STATES = ['AZ', 'CA', 'ID', 'OR', 'WA', 'WY']
const CITIES = [
  'Phoenix',
  'Los Angeles',
  'San Francisco',
  'Boise',
  'Portland',
  'Bend',
  'Redmond',
  'Seattle',
  'Kent',
  'Cheyenne',
]
const FIRST_NAMES = [
  'Peter',
  'Paul',
  'Luke',
  'John',
  'Saul',
  'Vicky',
  'Kate',
  'Julie',
  'Sarah',
  'Deiter',
  'Walter',
]
const LAST_NAMES = [
  'Shultz',
  'Abrams',
  'Spencer',
  'White',
  'Bartels',
  'Walton',
  'Smith',
  'Jones',
  'Noris',
]

/** JSON values of the stream, from the first on; for ever. 'flat' leaves out persons and auctions, whose times pass all the same. */
export function* nexmarkValues(options: NexmarkOptions = NEXMARK_DEFAULTS): Generator<string> {
  const stream = openStream(options)
  for (let event = 0; ; event++) {
    const place = event % EPOCH_EVENTS
    const time = timeOf(stream, event)
    if (place >= PERSON_SHARE + AUCTION_SHARE) {
      const bid = bidOf(stream, event, time)
      yield options.layout === 'flat'
        ? bid
        : `{"event_type":2,"person":null,"auction":null,"bid":${bid}}`
    } else if (options.layout === 'nested') {
      yield place < PERSON_SHARE
        ? `{"event_type":0,"person":${personOf(stream, event, time)},"auction":null,"bid":null}`
        : `{"event_type":1,"person":null,"auction":${auctionOf(stream, event, time)},"bid":null}`
    }
  }
}

interface Stream {
  readonly options: NexmarkOptions
  readonly random: SeededRandom
  readonly hotUrls: readonly string[]
  readonly channelUrls: readonly string[]
  /** Times are told to the ms: many events share one. */
  timeMs: number
  timeText: string
}

function openStream(options: NexmarkOptions): Stream {
  const random = seededRandom(options.seed)
  const hotUrls = HOT_CHANNELS.map(() => baseUrl(random))
  const channelUrls = Array.from({ length: CHANNELS }, (_, channel) => {
    const url = baseUrl(random)
    return random.below(10) > 0 ? `${url}&channel_id=${reverseBits(channel)}` : url
  })
  return { options, random, hotUrls, channelUrls, timeMs: -1, timeText: '' }
}

function bidOf(stream: Stream, event: number, time: string): string {
  const { random } = stream
  const auction =
    random.below(HOT_AUCTION_RATIO) > 0 ? hotOf(lastAuction(event)) : someAuction(stream, event)
  const bidder =
    random.below(HOT_BIDDER_RATIO) > 0 ? hotOf(lastPerson(event)) + 1 : somePerson(stream, event)
  const price = nextPrice(random)
  const hot = random.below(2) > 0
  const channel = random.below(hot ? HOT_CHANNELS.length : CHANNELS)
  const name = hot ? HOT_CHANNELS[channel] : `channel-${channel}`
  const url = hot ? stream.hotUrls[channel] : stream.channelUrls[channel]
  const extra = nextExtra(random, 32, BID_BYTES)
  return `{"auction":${FIRST_ID + auction},"bidder":${FIRST_ID + bidder},"price":${price},"channel":"${name}","url":"${url}","dateTime":"${time}","extra":"${extra}"}`
}

function personOf({ random }: Stream, event: number, time: string): string {
  const name = `${pick(random, FIRST_NAMES)} ${pick(random, LAST_NAMES)}`
  const email = `${nextString(random, 7)}@${nextString(random, 5)}.com`
  const card = Array.from({ length: 4 }, () => String(random.below(10_000)).padStart(4, '0')).join(
    ' ',
  )
  const city = pick(random, CITIES)
  const state = pick(random, STATES)
  const bytes = 8 + name.length + email.length + card.length + city.length + state.length
  const extra = nextExtra(random, bytes, PERSON_BYTES)
  return `{"id":${FIRST_ID + lastPerson(event)},"name":"${name}","emailAddress":"${email}","creditCard":"${card}","city":"${city}","state":"${state}","dateTime":"${time}","extra":"${extra}"}`
}

function auctionOf(stream: Stream, event: number, time: string): string {
  const { random } = stream
  const seller =
    random.below(HOT_SELLER_RATIO) > 0 ? hotOf(lastPerson(event)) : somePerson(stream, event)
  const category = FIRST_CATEGORY + random.below(CATEGORIES)
  const initialBid = nextPrice(random)
  const expires = timestampText(BigInt(nextExpiry(stream, event)) * 1000n, 3)
  const name = nextString(random, 20)
  const description = nextString(random, 100)
  const reserve = initialBid + nextPrice(random)
  const extra = nextExtra(random, 48 + name.length + description.length, AUCTION_BYTES)
  return `{"id":${FIRST_ID + lastAuction(event)},"itemName":"${name}","description":"${description}","initialBid":${initialBid},"reserve":${reserve},"dateTime":"${time}","expires":"${expires}","seller":${FIRST_ID + seller},"category":${category},"extra":"${extra}"}`
}

function timeMsOf({ options }: Stream, event: number): number {
  return options.baseTimeMs + Math.floor((event * 1000) / options.eventsPerSecond)
}

function timeOf(stream: Stream, event: number): string {
  const timeMs = timeMsOf(stream, event)
  if (timeMs !== stream.timeMs) {
    stream.timeMs = timeMs
    stream.timeText = timestampText(BigInt(timeMs) * 1000n, 3)
  }
  return stream.timeText
}

/** Auctions last, on average, until as many others have begun as are in flight at a time. */
function nextExpiry(stream: Stream, event: number): number {
  const now = timeMsOf(stream, event)
  const ahead = Math.floor((IN_FLIGHT_AUCTIONS * EPOCH_EVENTS) / AUCTION_SHARE)
  const horizonMs = timeMsOf(stream, event + ahead) - now
  return now + 1 + stream.random.below(Math.max(2 * horizonMs, 1))
}

/** The number of the last person before or at `event`. */
function lastPerson(event: number): number {
  return Math.floor(event / EPOCH_EVENTS) * PERSON_SHARE
}

/** The number of the last auction before or at `event`; -1 while there is none. */
function lastAuction(event: number): number {
  const place = (event % EPOCH_EVENTS) - PERSON_SHARE
  const before = Math.floor(event / EPOCH_EVENTS) * AUCTION_SHARE
  return place < 0 ? before - 1 : before + Math.min(place, AUCTION_SHARE - 1)
}

function hotOf(last: number): number {
  return Math.floor(last / HOT_BATCH) * HOT_BATCH
}

function somePerson({ random }: Stream, event: number): number {
  const people = lastPerson(event) + 1
  const active = Math.min(people, ACTIVE_PEOPLE)
  return people - active + random.below(active + ID_LEAD)
}

function someAuction({ random }: Stream, event: number): number {
  const last = lastAuction(event)
  const first = Math.max(last - IN_FLIGHT_AUCTIONS, 0)
  return first + random.below(last - first + 1 + ID_LEAD)
}

/** In cents, log-uniform from 1.00 to a million. */
function nextPrice(random: SeededRandom): number {
  return Math.round(10 ** (random.unit() * 6) * 100)
}

function nextString(random: SeededRandom, lengthMax: number, blank = ' '): string {
  let text = ''
  for (let left = 3 + random.below(lengthMax - 3); left > 0; left--) {
    text += random.below(13) === 0 ? blank : letter(random.below(26))
  }
  return text.trim()
}

/** Letters that bring `bytes` to `bytesMean` on average, ± 20 %. */
function nextExtra(random: SeededRandom, bytes: number, bytesMean: number): string {
  if (bytes > bytesMean) return ''
  const missing = bytesMean - bytes
  const spread = Math.round(missing * 0.2)
  let text = ''
  let letters = 0
  for (let left = missing - spread + random.below(2 * spread); left > 0; left--) {
    // Six letters a draw: 26^6 fits into 32 bits.
    if (letters === 0) letters = random.below(26 ** 6) + 26 ** 6
    text += letter(letters % 26)
    letters = letters < 26 ** 2 ? 0 : Math.floor(letters / 26)
  }
  return text
}

function baseUrl(random: SeededRandom): string {
  const part = (): string => nextString(random, 5, '_')
  return `https://www.nexmark.com/${part()}/${part()}/${part()}/item.htm?query=1`
}

function letter(index: number): string {
  return LETTERS[index]!
}

function pick(random: SeededRandom, words: readonly string[]): string {
  return words[random.below(words.length)]!
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz'

/** The bits of a 32-bit number in reverse, as a positive number: channel ids look unordered. */
function reverseBits(value: number): number {
  let out = 0
  for (let bit = 0; bit < 32; bit++) out = (out << 1) | ((value >>> bit) & 1)
  return Math.abs(out)
}
