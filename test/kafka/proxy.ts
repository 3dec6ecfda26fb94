/** A way to the broker that a test can break: addresses in the broker's answers are its own, so that all goes through it. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { KAFKA } from '../../scripts/engines/kafka.ts'

/** What is done with bytes of the broker on their way to `near`, who asked. */
export type Passing = (near: Socket, bytes: Buffer) => void

export interface BrokerProxy {
  readonly port: number
  /** From now on. */
  pass(passing: Passing): void
  close(): void
}

const HOST = '127.0.0.1'

export async function brokerProxy(first: Passing): Promise<BrokerProxy> {
  let passing = first
  const { port: brokerPort } = new URL(`tcp://${KAFKA}`)
  const sockets: Socket[] = []
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect(Number(brokerPort), HOST)
    sockets.push(near, far)
    near.pipe(far)
    near.on('error', () => far.destroy())
    near.on('close', () => far.destroy())
    far.on('error', () => near.destroy())
    far.on('data', (bytes: Buffer) => {
      const changed = Buffer.from(bytes)
      // Its port, where metadata names it.
      for (let name = -1; ; ) {
        name = changed.indexOf(HOST, name + 1)
        if (name < 0) break
        changed.writeInt32BE(portOf(), name + HOST.length)
      }
      passing(near, changed)
    })
  })
  const portOf = () => (server.address() as AddressInfo).port
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve))
  return {
    port: portOf(),
    pass(next) {
      passing = next
    },
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
