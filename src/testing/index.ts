/**
 * Pipelines under test: on a virtual clock, with the events that a test gives, without a disk or a network. It is the engine that runs
 * in production; only where rows come from and go to, time and files are the test's.
 *
 *   await using shop = await testPipeline(sql, { tables })
 *   await shop.give('orders', [{ shop: 'oslo', cents: 1250, placed_at: '2026-01-31 12:00:01' }])
 *   await shop.watermark('orders', '2026-01-31 12:01:00')
 *   shop.expectTable('revenue', [{ shop: 'oslo', cents: 1250 }])
 */
export type { Change, Given, PipelineTest, TestOptions } from './pipeline-test.ts'
export { testPipeline } from './pipeline-test.ts'
