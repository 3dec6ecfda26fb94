/** Colour, sparingly, and only where it is wanted: a terminal, NO_COLOR unset. By node:util's styleText. */
import { styleText } from 'node:util'

/** Each by what it means; none but `strong` and `faint` is used for looks. */
export interface Style {
  readonly strong: Paint
  readonly faint: Paint
  readonly good: Paint
  readonly warning: Paint
  readonly bad: Paint
  /** Names of things: tables, files, commands to type. */
  readonly name: Paint
}

type Paint = (text: string) => string

/** @see https://no-color.org: set and not empty means none; FORCE_COLOR asks for it where there is no terminal */
export function styleFor(
  isTerminal: boolean,
  environment: Readonly<Record<string, string | undefined>>,
): Style {
  const refused = Boolean(environment.NO_COLOR) || environment.TERM === 'dumb'
  const forced = Boolean(environment.FORCE_COLOR) && environment.FORCE_COLOR !== '0'
  return !refused && (isTerminal || forced) ? COLOURED : PLAIN
}

const same: Paint = (text) => text
export const PLAIN: Style = {
  strong: same,
  faint: same,
  good: same,
  warning: same,
  bad: same,
  name: same,
}

function paint(format: Parameters<typeof styleText>[0]): Paint {
  return (text) => styleText(format, text, { validateStream: false })
}

const COLOURED: Style = {
  strong: paint('bold'),
  faint: paint('dim'),
  good: paint('green'),
  warning: paint('yellow'),
  bad: paint(['bold', 'red']),
  name: paint('cyan'),
}
