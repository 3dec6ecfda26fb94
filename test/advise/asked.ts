/** Needs for tests: read as a file is, from an object. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { type Book, openBook } from '../../src/advise/cost/book.ts'
import type { Needs } from '../../src/advise/needs/needs.ts'
import { type ReadNeeds, readNeeds } from '../../src/advise/needs/read.ts'
import { nearest } from '../../src/sql/suggest.ts'

export const BOOK = openBook()

export function read(text: string, book: Book = BOOK): ReadNeeds {
  const measure = () => {
    throw new Error('nothing is measured here')
  }
  return readNeeds('needs.yaml', text, { book, nearest, measure })
}

export function needsOf(value: unknown): Needs {
  const { needs, findings } = read(JSON.stringify(value))
  assert.ok(needs, findings.map(({ text }) => text).join('\n'))
  return needs
}

export interface Case {
  readonly id: string
  readonly situation: string
  readonly needs: unknown
  readonly answer: {
    readonly outputs: Readonly<Record<string, { readonly verdict: string; readonly rule: string }>>
    readonly pattern: string
    readonly format: string
    readonly platform: readonly string[]
    readonly engine: readonly string[]
    readonly monthly: readonly [number, number]
    readonly why: string
  }
}

export const CASES: readonly Case[] = parse(readFileSync('test/advise/cases.yaml', 'utf8'))
