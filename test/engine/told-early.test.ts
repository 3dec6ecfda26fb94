/** Windows told by the clock, before their end and behind it, through a crash and by other workers. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { testPipeline } from '../../src/testing/index.ts'

const TABLES = `
CREATE TABLE clicks (who STRING, t TIMESTAMP(3), WATERMARK FOR t AS t) WITH ('connector' = 'log', 'topic' = 'clicks', 'format' = 'json');
CREATE TABLE counts (who STRING, since TIMESTAMP(3), n BIGINT) WITH ('connector' = 'print');`
const query = (hint: string, time = 't') => `INSERT INTO counts
  SELECT /*+ EMIT(${hint}) */ who, TUMBLE_START(${time}, INTERVAL '1' MINUTE), COUNT(*)
  FROM (SELECT who, t, PROCTIME() AS p FROM clicks) GROUP BY who, TUMBLE(${time}, INTERVAL '1' MINUTE)`
const click = (who: string, second: number) => ({
  who,
  t: `2026-01-31 12:00:${`${second}`.padStart(2, '0')}`,
})
const minute = (who: string, n: number) => ({ who, since: '2026-01-31 12:00:00', n })

test('a group that has not changed is not told again, and one that has is told once a delay', async () => {
  await using run = await testPipeline(query("'early-fire.delay' = '10 s'"), { tables: TABLES })
  await run.give('clicks', [click('ann', 1), click('bob', 2)])
  await run.advance('9s')
  run.expectChanges('counts', [])
  await run.advance('2s')
  run.expectTable('counts', [minute('ann', 1), minute('bob', 1)])
  run.changes('counts')
  await run.give('clicks', [click('ann', 3), click('ann', 4)])
  await run.advance('11s')
  run.expectChanges('counts', [
    ['-U', minute('ann', 1)],
    ['+U', minute('ann', 3)],
  ])
  await run.watermark('clicks', '2026-01-31 12:01:00')
  run.expectChanges('counts', [])
})

test('corrections that wait for the clock outlive a crash, by other workers too, and are told when the window is dropped', async () => {
  const hint = "'allow-lateness' = '30 s', 'late-fire.delay' = '10 s'"
  await using run = await testPipeline(query(hint), { tables: TABLES })
  await run.give('clicks', [click('ann', 1), click('bob', 2)])
  await run.watermark('clicks', '2026-01-31 12:01:00')
  await run.give('clicks', [click('ann', 30)])
  await run.checkpoint()
  await run.crash('power', { workers: 2 })
  run.expectTable('counts', [minute('ann', 1), minute('bob', 1)])
  await run.advance('21s')
  run.expectTable('counts', [minute('ann', 2), minute('bob', 1)])
  await run.give('clicks', [click('bob', 31)])
  await run.watermark('clicks', '2026-01-31 12:01:30')
  run.expectTable('counts', [minute('ann', 2), minute('bob', 2)])
  await run.give('clicks', [click('bob', 32)])
  run.expectTable('counts', [minute('ann', 2), minute('bob', 2)])
  assert.equal((await run.late('counts')).length, 1)
})

test('windows by the clock are told early too', async () => {
  await using run = await testPipeline(query("'early-fire.delay' = '10 s'", 'p'), {
    tables: TABLES,
    startAt: '2026-01-31 12:00:05',
  })
  await run.give('clicks', [click('ann', 1)])
  await run.advance('11s')
  run.expectTable('counts', [minute('ann', 1)])
  await run.give('clicks', [click('ann', 2)])
  await run.advance('1m')
  run.expectTable('counts', [minute('ann', 2)])
})
