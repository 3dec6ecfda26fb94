/** Every code that an audit can find, as data: its page in docs/audit is made of it, and its examples are its tests. */

import type { Rule } from './rule.ts'
import { MISTAKES } from './rules-mistakes.ts'
import { OPERATION } from './rules-operation.ts'

export const RULES = { ...MISTAKES, ...OPERATION } as const satisfies Record<string, Rule>

export type AuditCode = keyof typeof RULES

export const AUDIT_CODES = Object.keys(RULES) as AuditCode[]
