/** WITH (...) held against what the connector declares: unknown names, missing ones, values that can't be. */
import type { Connector, ConnectorOption } from '../../connectors/contract/connector.ts'
import type { Place } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import { nearest } from '../suggest.ts'
import type { OptionSyntax } from '../syntax.ts'

type Options = Readonly<Record<string, string>>

/**
 * Checks `options`, all of a table's; `written` are those that stand in the text, for their places.
 * Without known connectors nothing is checked. @throws SQL_CONNECTOR_UNKNOWN, SQL_OPTION_INVALID
 */
export function checkedOptions(
  options: Options,
  written: readonly OptionSyntax[],
  connectors: readonly Connector[],
  table: string,
  at: Place | undefined = written[0]?.keyAt,
): void {
  if (connectors.length === 0 || at === undefined) return
  const place = (name: string): OptionSyntax | undefined => written.find(({ key }) => key === name)
  const connector = connectors.find(({ name }) => name === options.connector)
  if (connector === undefined) {
    throw unknownConnector(table, options.connector, connectors, place('connector')?.valueAt ?? at)
  }
  for (const { key, keyAt, value, valueAt } of written) {
    if (key === 'connector') continue
    const declared = connector.options.find(({ name, isPrefix }) =>
      isPrefix === true ? key.startsWith(name) : key === name,
    )
    if (declared === undefined) throw unknownOption(connector, key, keyAt)
    const problem = problemOf(declared, value)
    if (problem !== undefined) throw invalid(connector, declared, value, problem, valueAt)
  }
  for (const declared of connector.options) {
    if (declared.required && options[declared.name] === undefined) {
      throw missing(table, connector, declared, at)
    }
  }
}

/** A reference to a secret can be anything. */
function problemOf({ kind, values }: ConnectorOption, value: string): string | undefined {
  if (/\$\{(env|file):/.test(value)) return undefined
  switch (kind) {
    case 'int':
      return /^-?\d+$/.test(value) ? undefined : 'a whole number'
    case 'boolean':
      return /^(true|false)$/i.test(value) ? undefined : "'true' or 'false'"
    case 'enum':
      return values?.includes(value) === false ? `one of ${values.join(', ')}` : undefined
    case 'duration':
      return /^\s*\d+\s*[a-z]*\s*$/i.test(value) ? undefined : "a duration such as '5 s'"
    default:
      return undefined
  }
}

function unknownConnector(
  table: string,
  name: string | undefined,
  connectors: readonly Connector[],
  at: Place,
): SqlError {
  const names = connectors.map((each) => each.name)
  const near = name === undefined ? undefined : nearest(name, names)
  return new SqlError('SQL_CONNECTOR_UNKNOWN', at, {
    message:
      name === undefined
        ? `table \`${table}\` names no connector`
        : `there is no connector '${name}'`,
    hint:
      near === undefined ? `'connector' is one of ${names.join(', ')}` : `did you mean '${near}'?`,
    facts: { table, connector: name },
  })
}

function unknownOption({ name, options }: Connector, key: string, at: Place): SqlError {
  const names = options.map((option) => option.name)
  const near = nearest(key, names)
  return new SqlError('SQL_OPTION_INVALID', at, {
    message: `the connector '${name}' has no option '${key}'`,
    hint: near === undefined ? `its options: ${names.join(', ')}` : `did you mean '${near}'?`,
    facts: { connector: name, option: key },
  })
}

function invalid(
  { name }: Connector,
  option: ConnectorOption,
  value: string,
  wanted: string,
  at: Place,
): SqlError {
  const shown = option.secret === true ? 'its value' : `'${value}'`
  return new SqlError('SQL_OPTION_INVALID', at, {
    message: `option '${option.name}' of '${name}' can't be ${shown}`,
    hint: `it is ${wanted}: ${option.summary}`,
    facts: { connector: name, option: option.name },
  })
}

function missing(table: string, { name }: Connector, option: ConnectorOption, at: Place): SqlError {
  return new SqlError('SQL_OPTION_INVALID', at, {
    message: `table \`${table}\` needs the option '${option.name}' of '${name}'`,
    hint: option.summary,
    facts: { table, connector: name, option: option.name },
  })
}
