import assert from 'node:assert/strict'
import test from 'node:test'
import { leastPin } from '../../log/pins.ts'
import { type SimulatedPorts, simulatedPorts } from '../../testing/ports.ts'
import { forgetPins, type MovingPin, pinOf } from './moving-pin.ts'

const DATA = '/data'

test('a pin is set before anything is read, goes back where a start does, and moves on seldom, and at the end', async () => {
  const ports = simulatedPorts(1)
  const pin = opened(ports)
  await pin.hold(10)
  assert.equal(leastPin(ports, DATA, 't', 0), 10)
  pin.move(20)
  await ports.clock.advance(1000)
  assert.equal(leastPin(ports, DATA, 't', 0), 10, 'it is not worth a wait for the disk yet')
  await ports.clock.advance(30_000)
  pin.move(30)
  await ports.clock.advance(0)
  assert.equal(leastPin(ports, DATA, 't', 0), 30)
  pin.move(40)
  await pin.settle()
  assert.equal(leastPin(ports, DATA, 't', 0), 40)
  const next = opened(ports)
  await next.hold(50)
  assert.equal(leastPin(ports, DATA, 't', 0), 40, 'more is kept than need be')
  const back = opened(ports)
  await back.hold(5)
  assert.equal(leastPin(ports, DATA, 't', 0), 5)
  forgetPins(ports, DATA, 'p')
  assert.equal(leastPin(ports, DATA, 't', 0), undefined)
})

test('a disk that refuses keeps a run from starting without its pin, and a pin from moving', async () => {
  const ports = simulatedPorts(1)
  ports.files.fail({ call: 'write', code: 'ENOSPC', nth: 1 })
  await assert.rejects(opened(ports).hold(10), { code: 'LOG_WRITE_FAILED' })
  ports.files.heal()
  const pin = opened(ports)
  await pin.hold(10)
  await ports.clock.advance(30_000)
  ports.files.fail({ call: 'write', code: 'EIO', nth: 1 })
  pin.move(20)
  await ports.clock.advance(0)
  assert.equal(leastPin(ports, DATA, 't', 0), 10)
  await pin.settle()
  assert.equal(leastPin(ports, DATA, 't', 0), 20)
})

test('who never comes back pins nothing', () => {
  const { consumer: _, ...query } = request(simulatedPorts(1))
  assert.equal(pinOf(query, 't', 0), undefined)
})

function opened(ports: SimulatedPorts): MovingPin {
  return pinOf(request(ports), 't', 0)!
}

function request(ports: SimulatedPorts) {
  return {
    table: 'orders',
    consumer: { pipeline: 'p', source: 'orders' },
    options: {},
    schema: [],
    metadataKeys: [],
    physical: [],
    ports,
    baseDirectory: '/',
    dataDirectory: DATA,
  }
}
