/**
 * Compiles every `src/kernels/*.as.ts` to WebAssembly and writes it, as base64, to `<name>.generated.ts` beside it.
 *
 * All modules share one linear memory, so each gets its own part of the statics (data/memory.ts) for its constant tables.
 * `--verify` compiles and compares instead of writing: CI proves with it that what is committed is what the source gives.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const KERNELS = 'src/kernels'
/** Bytes of statics a module may use, and where the first begins: 0 stays unused, so that no address is 0. */
const PART_BYTES = 32768
const PART_START = 4096
/** Order is for ever: a module's part must not move, lest the committed code change. */
const MODULES = [
  'frame',
  'json',
  'group',
  'select',
  'arithmetic',
  'aggregate',
  'gather',
  'encode',
  'time',
  'text',
  'crc',
  'lines',
  'rows',
  'avro',
  'nested',
  'top',
  'lateness',
]

const verify = process.argv.includes('--verify')
/** Names given: only these are compiled. */
const only = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const scratch = mkdtempSync(join(tmpdir(), 'millrace-kernels-'))
let stale = 0
for (const file of readdirSync(KERNELS)
  .filter((name) => name.endsWith('.as.ts'))
  .sort()) {
  const name = file.slice(0, -'.as.ts'.length)
  if (only.length > 0 && !only.includes(name)) continue
  const index = MODULES.indexOf(name)
  if (index < 0) throw new Error(`${file}: add '${name}' to MODULES in scripts/build-kernels.ts`)
  const wasm = join(scratch, `${name}.wasm`)
  execFileSync(
    process.execPath,
    [
      'node_modules/assemblyscript/bin/asc.js',
      join(KERNELS, file),
      '-o',
      wasm,
      '-O3',
      '--noAssert',
      '--runtime',
      'stub',
      '--importMemory',
      '--sharedMemory',
      '--maximumMemory',
      '65536',
      '--enable',
      'simd,threads,bulk-memory',
      '--memoryBase',
      String(PART_START + index * PART_BYTES),
      '--use',
      'abort=',
    ],
    { stdio: 'inherit' },
  )
  const bytes = readFileSync(wasm)
  const out = join(KERNELS, `${name}.generated.ts`)
  const text = `/** Generated from ${file} by scripts/build-kernels.ts: do not edit. */\nexport const wasmBase64 =\n  '${bytes.toString('base64')}'\n`
  if (existsSync(out) && readFileSync(out, 'utf8') === text) continue
  stale++
  if (verify) console.log(`${out} is not what ${file} compiles to: run npm run kernels`)
  else {
    writeFileSync(out, text)
    console.log(`${out}: ${bytes.length} bytes`)
  }
}
if (verify && stale > 0) process.exitCode = 1
