/** Where MILLRACE_SEED is given, properties are tried with the same values each time, as CI does; without it with others each time. */
import fc from 'fast-check'

const { MILLRACE_SEED } = process.env
if (MILLRACE_SEED !== undefined) fc.configureGlobal({ seed: Number(MILLRACE_SEED) })

export { fc }
