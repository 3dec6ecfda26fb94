/**
 * A pipeline's checkpoints on disk:
 *
 *   <directory>/incarnations/<n>                     made once a start, exclusively: ids never repeat, even after --fresh
 *   <directory>/state/<incarnation>-<counter>-<worker>.state
 *   <directory>/manifests/<incarnation>-<counter>.json
 *
 * A manifest exists whole or not at all: written beside its place, synced, renamed, its directory synced. State files are durable
 * before the manifest that names them. Manifests are kept until a later one is confirmed; what none names is removed.
 */
import { dirname } from 'node:path'
import { crc32c } from '../codec/checksum.ts'
import { MillraceError } from '../errors.ts'
import type { Ports } from '../ports/ports.ts'
import { mergedFile } from './chain-merge.ts'
import type {
  CheckpointContents,
  CheckpointId,
  CommitProgress,
  Manifest,
  StateChain,
  StateFile,
  WorkerSnapshot,
} from './checkpoint.ts'
import { corrupt } from './state-file.ts'
import { failed, nothingToCopy } from './store-errors.ts'

export interface CheckpointStore {
  /** Of this start; higher than every earlier one's. */
  readonly incarnation: number
  /** The newest manifest there is. */
  readonly latest: Manifest | undefined
  /** Where state files are. */
  readonly stateDirectory: string
  /** Durable when it resolves. @throws CHECKPOINT_FAILED */
  write(contents: CheckpointContents, progress: CommitProgress): Promise<Manifest>
  /** Notes in the newest manifest how far its sinks have got since: what is committed is not kept as if it might not be. */
  settle(progress: CommitProgress): Promise<void>
  /** Everything that `checkpoint` had to make visible is visible: older manifests and their files go. */
  confirm(checkpoint: CheckpointId): Promise<void>
  /** A self-contained copy of the newest checkpoint below `path`. */
  copyTo(path: string): Promise<CheckpointId>
}

export interface CheckpointStoreOptions {
  readonly ports: Ports
  readonly directory: string
  readonly pipeline: string
  /** Forget all checkpoints. */
  readonly fresh: boolean
  /** Go on from this copy instead of the newest checkpoint. */
  readonly savepoint?: string
}

const ID_DIGITS = 10

/** @throws CHECKPOINT_CORRUPT, CHECKPOINT_FAILED */
export async function openCheckpointStore(
  options: CheckpointStoreOptions,
): Promise<CheckpointStore> {
  const { ports, directory } = options
  const { files } = ports
  const folders = ['incarnations', 'state', 'manifests'].map((name) => `${directory}/${name}`)
  const [incarnations, state, manifests] = folders as [string, string, string]
  const incarnation = await written(directory, async () => {
    await ensureFolders(ports, directory, folders)
    // A manifest whose name a crash left unsynced is not built upon before it is durable.
    await files.syncDirectory(manifests)
    return takeIncarnation(ports, incarnations)
  })
  await written(directory, async () => {
    if (options.fresh) {
      await forgetAll(ports, manifests, state)
      ports.faultPoint('checkpoints-forgotten')
    }
    if (options.savepoint !== undefined) {
      await adopt(ports, options.savepoint, manifests, state, incarnation)
    }
  })
  return storeOf(options, incarnation, state, manifests)
}

function storeOf(
  { ports, pipeline }: CheckpointStoreOptions,
  incarnation: number,
  state: string,
  manifests: string,
): CheckpointStore {
  const { files } = ports
  let newest = newestNamed(ports, manifests)
  return {
    incarnation,
    get latest() {
      return newest?.manifest
    },
    stateDirectory: state,
    write: (contents, progress) => written(manifests, () => write(contents, progress)),
    async settle(progress) {
      if (newest === undefined) return
      const { name } = newest
      const manifest = { ...newest.manifest, ...progress }
      await written(manifests, () => writeManifest(ports, `${manifests}/${name}`, manifest))
      newest = { name, manifest }
    },
    confirm: (checkpoint) =>
      written(manifests, () => removeOlder(ports, manifests, state, checkpoint)),
    async copyTo(path) {
      if (newest === undefined) throw nothingToCopy(pipeline)
      const { manifest } = newest
      await written(path, () => copyCheckpoint(ports, manifest, state, path))
      return manifest.checkpoint
    },
  }

  async function write(contents: CheckpointContents, progress: CommitProgress): Promise<Manifest> {
    const { snapshots, prepared: _, ...facts } = contents
    const chains: StateChain[] = []
    for (const [worker, snapshot] of snapshots.entries()) {
      const file = await writeState(ports, state, contents.checkpoint, worker, snapshot)
      chains.push(await chainOf(ports, state, newest?.manifest, snapshot, file))
    }
    if (snapshots.length > 0) await files.syncDirectory(state)
    const manifest: Manifest = {
      format: 1,
      pipeline,
      ...facts,
      ...progress,
      chains,
      writtenAtMs: ports.clock.nowMs(),
    }
    const name = nameOf(contents.checkpoint)
    await writeManifest(ports, `${manifests}/${name}`, manifest)
    newest = { name, manifest }
    return manifest
  }
}

/** What the disk refuses is told as ours; what comes of elsewhere passes. @throws CHECKPOINT_FAILED */
async function written<Result>(path: string, act: () => Promise<Result>): Promise<Result> {
  try {
    return await act()
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && !(cause instanceof MillraceError)) {
      throw failed(String('path' in cause ? cause.path : path), cause)
    }
    throw cause
  }
}

/** Made, and their names durable: a manifest in a folder that a power cut takes is no checkpoint. */
async function ensureFolders(
  { files, faultPoint }: Ports,
  directory: string,
  folders: readonly string[],
): Promise<void> {
  // `<data>/pipelines/<name>`, and whatever above it is made now.
  let top = dirname(dirname(directory))
  while (!files.exists(top)) top = dirname(top)
  for (const folder of folders) files.makeDirectory(folder)
  faultPoint('checkpoint-folders-made')
  for (let above = directory; ; above = dirname(above)) {
    await files.syncDirectory(above)
    if (above === top || above === dirname(above)) break
  }
}

async function takeIncarnation(ports: Ports, directory: string): Promise<number> {
  const taken = ports.files.list(directory).map(Number)
  const next = Math.max(0, ...taken) + 1
  ports.files.open(`${directory}/${String(next).padStart(ID_DIGITS, '0')}`, 'create').close()
  ports.faultPoint('incarnation-taken')
  await ports.files.syncDirectory(directory)
  return next
}

async function writeState(
  ports: Ports,
  directory: string,
  checkpoint: CheckpointId,
  worker: number,
  { pieces }: WorkerSnapshot,
): Promise<StateFile> {
  const name = `${idText(checkpoint)}-${worker}.state`
  const bytes = await writeDurable(ports, `${directory}/${name}`, pieces, 'state')
  return { name, bytes }
}

/** The chain so far and the new file; files of which no table lives any more are left out, long chains are merged. */
async function chainOf(
  ports: Ports,
  directory: string,
  before: Manifest | undefined,
  { groupStart, groupEnd }: WorkerSnapshot,
  file: StateFile,
): Promise<StateChain> {
  const earlier = before?.chains.find(
    (chain) => chain.groupStart === groupStart && chain.groupEnd === groupEnd,
  )
  const chain = { groupStart, groupEnd, files: [...(earlier?.files ?? []), file] }
  return mergedFile(ports, directory, chain)
}

/** One that is there is replaced whole. */
async function writeManifest(ports: Ports, path: string, manifest: Manifest): Promise<void> {
  const body = JSON.stringify(manifest)
  const checksum = crc32c(new TextEncoder().encode(body)).toString(16)
  const text = new TextEncoder().encode(`{"crc32c":"${checksum}","manifest":${body}}\n`)
  const beside = `${path}.new`
  await writeDurable(ports, beside, [text], 'manifest')
  ports.files.rename(beside, path)
  ports.faultPoint('manifest-renamed')
  await ports.files.syncDirectory(dirname(path))
  ports.faultPoint('manifest-durable')
}

/** Written and synced; a leftover of a crash is replaced. The bytes. */
async function writeDurable(
  ports: Ports,
  path: string,
  pieces: readonly Uint8Array[],
  what: 'state' | 'manifest',
): Promise<number> {
  const { files } = ports
  if (files.exists(path)) files.remove(path)
  const handle = files.open(path, 'create')
  try {
    let position = 0
    for (const piece of pieces) {
      handle.write(piece, position)
      position += piece.length
    }
    ports.faultPoint(`${what}-written`)
    await handle.sync()
    ports.faultPoint(`${what}-synced`)
    return position
  } finally {
    handle.close()
  }
}

interface NamedManifest {
  /** Of its file: by its checkpoint's id, or where a savepoint was taken up, by the start that did it. */
  readonly name: string
  readonly manifest: Manifest
}

/** @throws CHECKPOINT_CORRUPT: an older one is never taken silently instead */
function newestNamed({ files }: Ports, directory: string): NamedManifest | undefined {
  const name = manifestNames(files.list(directory)).at(-1)
  if (name === undefined) return undefined
  return { name, manifest: readManifest({ files }, `${directory}/${name}`) }
}

function readManifest({ files }: Pick<Ports, 'files'>, path: string): Manifest {
  const handle = files.open(path, 'read')
  const bytes = new Uint8Array(handle.bytes())
  handle.read(bytes, 0)
  handle.close()
  const match = /^\{"crc32c":"([0-9a-f]+)","manifest":(.*)\}\n$/s.exec(
    new TextDecoder().decode(bytes),
  )
  if (match === null) throw corrupt(path, 'byte 0', 'it is not a manifest, or was cut off')
  const checksum = match[1]!
  const body = match[2]!
  if (crc32c(new TextEncoder().encode(body)).toString(16) !== checksum) {
    throw corrupt(path, 'byte 0', 'its checksum differs')
  }
  return JSON.parse(body)
}

async function removeOlder(
  ports: Ports,
  manifests: string,
  state: string,
  checkpoint: CheckpointId,
): Promise<void> {
  const { files } = ports
  const keep = nameOf(checkpoint)
  const named = new Set<string>()
  for (const name of manifestNames(files.list(manifests))) {
    if (name < keep) {
      files.remove(`${manifests}/${name}`)
      continue
    }
    for (const chain of readManifest(ports, `${manifests}/${name}`).chains) {
      for (const file of chain.files) named.add(file.name)
    }
  }
  // A crash between writing a manifest and naming it leaves this.
  for (const name of files.list(manifests)) {
    if (name.endsWith('.json.new') && name < keep) files.remove(`${manifests}/${name}`)
  }
  ports.faultPoint('manifests-removed')
  for (const name of files.list(state)) {
    // A file of a checkpoint that is being written is newer than the one confirmed.
    if (!named.has(name) && name < idText(checkpoint)) files.remove(`${state}/${name}`)
  }
}

async function forgetAll(ports: Ports, manifests: string, state: string): Promise<void> {
  for (const directory of [manifests, state]) {
    for (const name of ports.files.list(directory)) {
      ports.files.remove(`${directory}/${name}`)
      ports.faultPoint('checkpoint-forgotten')
    }
    await ports.files.syncDirectory(directory)
  }
}

async function copyCheckpoint(
  ports: Ports,
  manifest: Manifest,
  state: string,
  path: string,
): Promise<void> {
  await ensureFolders(ports, path, [`${path}/state`, `${path}/manifests`])
  for (const { files } of manifest.chains) {
    for (const { name } of files) {
      await copyFile(ports, `${state}/${name}`, `${path}/state/${name}`)
    }
  }
  await ports.files.syncDirectory(`${path}/state`)
  await writeManifest(ports, `${path}/manifests/${nameOf(manifest.checkpoint)}`, manifest)
}

/**
 * Makes a savepoint the newest checkpoint, under a name that comes after all others'. What there was before goes only when the copy is
 * durable: a crash on the way leaves the one or the other.
 */
async function adopt(
  ports: Ports,
  savepoint: string,
  manifests: string,
  state: string,
  incarnation: number,
): Promise<void> {
  const from = `${savepoint}/manifests`
  const manifest = ports.files.exists(from) ? newestNamed(ports, from)?.manifest : undefined
  if (manifest === undefined) {
    throw new MillraceError('CHECKPOINT_MISMATCH', {
      message: `${savepoint} is no savepoint`,
      hint: 'name the directory that `millrace savepoint` printed',
      facts: { path: savepoint },
    })
  }
  const id = { incarnation, counter: 0 }
  const chains: StateChain[] = []
  let copied = 0
  for (const chain of manifest.chains) {
    const files: StateFile[] = []
    for (const { name, bytes } of chain.files) {
      // Names of its own: those of the pipeline's checkpoints may be taken by other bytes.
      const copy = `${idText(id)}-${copied++}.state`
      await copyFile(ports, `${savepoint}/state/${name}`, `${state}/${copy}`)
      files.push({ name: copy, bytes })
    }
    chains.push({ ...chain, files })
  }
  await ports.files.syncDirectory(state)
  ports.faultPoint('savepoint-copied')
  await writeManifest(ports, `${manifests}/${nameOf(id)}`, { ...manifest, chains })
  ports.faultPoint('savepoint-adopted')
  await removeOlder(ports, manifests, state, id)
}

async function copyFile(ports: Ports, from: string, to: string): Promise<void> {
  const source = ports.files.open(from, 'read')
  const bytes = new Uint8Array(source.bytes())
  source.read(bytes, 0)
  source.close()
  await writeDurable(ports, to, [bytes], 'state')
}

function manifestNames(names: readonly string[]): string[] {
  return names.filter((name) => name.endsWith('.json')).sort()
}

function nameOf(checkpoint: CheckpointId): string {
  return `${idText(checkpoint)}.json`
}

function idText({ incarnation, counter }: CheckpointId): string {
  return [incarnation, counter].map((part) => String(part).padStart(ID_DIGITS, '0')).join('-')
}
