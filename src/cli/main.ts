#!/usr/bin/env node
/** `millrace`: the one file that ends the process. */
import { EXIT, processIo } from './io.ts'
import { runCommandLine } from './program.ts'

// Who pipes into `head` has seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? EXIT.done : EXIT.no)
})

const code = await runCommandLine(process.argv.slice(2), processIo())
// What was written is out before the process is: where stdout is a pipe it may be behind.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)))
