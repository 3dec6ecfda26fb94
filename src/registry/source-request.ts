/** What a registry is opened with for a table's format. */
import type { FormatOptions } from '../formats/format.ts'
import type { Ports } from '../ports/ports.ts'

export interface SourceRequest {
  readonly table: string
  /** The format's own, secrets resolved. */
  readonly options: FormatOptions
  readonly ports: Ports
  readonly dataDirectory: string
}
