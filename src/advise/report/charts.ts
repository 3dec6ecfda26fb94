/** Charts as SVG, drawn with the page's own colours: they follow light, dark and print. */
import { secondsText, usd } from '../plan/words.ts'
import { escapeHtml } from './escape.ts'
import type { Advice } from './shape.ts'

const WIDTH = 720
const HEIGHT = 300
const LEFT = 64
const RIGHT = 44
const TOP = 20
const BOTTOM = 44

/** Cost over freshness: what is cheapest at each age, and a managed Kafka with a managed Flink beside it. Logarithmic in dollars. */
export function curveChart({ curve }: Pick<Advice, 'curve'>): string {
  const totals = curve.flatMap(({ best, managed }) => [best?.total ?? 0, managed?.total ?? 0])
  const known = totals.filter((total) => total > 0)
  if (known.length === 0) return ''
  const low = 10 ** Math.floor(Math.log10(Math.min(...known)))
  const high = 10 ** Math.ceil(Math.log10(Math.max(...known)) + 1e-9)
  const decades = Math.max(1, Math.log10(high / low))
  const x = (index: number) =>
    LEFT + ((WIDTH - LEFT - RIGHT) * index) / Math.max(1, curve.length - 1)
  const y = (total: number) =>
    HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * Math.log10(Math.max(total, low) / low)) / decades
  const grid = Array.from({ length: Math.round(decades) + 1 }, (_, index) => {
    const value = low * 10 ** index
    const at = y(value).toFixed(1)
    return `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}"/><text class="axis" x="${LEFT - 8}" y="${Number(at) + 4}" text-anchor="end">${usd(value)}</text>`
  })
  const labels = curve.map(
    ({ seconds }, index) =>
      `<text class="axis" x="${x(index).toFixed(1)}" y="${HEIGHT - BOTTOM + 22}" text-anchor="middle">${secondsText(seconds)}</text>`,
  )
  const series = (of: 'best' | 'managed') => {
    const points = curve.flatMap((point, index) => {
      const design = point[of]
      return design === undefined
        ? []
        : [{ x: x(index), y: y(design.total), text: `${usd(design.total)}: ${design.names}` }]
    })
    const path = points.map(
      (each, index) => `${index === 0 ? 'M' : 'L'}${each.x.toFixed(1)} ${each.y.toFixed(1)}`,
    )
    const dots = points.map(
      (each) =>
        `<circle class="${of}" cx="${each.x.toFixed(1)}" cy="${each.y.toFixed(1)}" r="5"><title>${escapeHtml(each.text)}</title></circle>`,
    )
    const values = points.map(
      (each) =>
        `<text class="value" x="${each.x.toFixed(1)}" y="${(each.y + (of === 'best' ? 20 : -12)).toFixed(1)}" text-anchor="middle">${escapeHtml(each.text.split(':')[0]!)}</text>`,
    )
    return `<path class="${of}" d="${path.join(' ')}"/>${dots.join('')}${values.join('')}`
  }
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Cost a month over how old results may be">${grid.join('')}${labels.join('')}${series('managed')}${series('best')}</svg>`
}

const BAR = 22
const BAR_GAP = 8
const BAR_LEFT = 320
const LABEL_LENGTH_MAX = 42

/** Where the money goes: one bar a kind of cost. */
export function costChart({ costs }: Pick<Advice, 'costs'>): string {
  const byKind = new Map<string, number>()
  for (const { kind, monthly } of costs) byKind.set(kind, (byKind.get(kind) ?? 0) + monthly)
  const bars = [...byKind]
    .filter(([, total]) => total > 0)
    .sort((left, right) => right[1] - left[1])
  return barChart('Cost a month by kind', bars)
}

/** The plan beside its runners-up. */
export function alternativesChart({
  plan,
  alternatives,
}: Pick<Advice, 'plan' | 'alternatives'>): string {
  if (plan.design === undefined) return ''
  const all = [plan.design, ...alternatives]
  return barChart(
    'The plan and its runners-up',
    all.map(({ names, total }) => [names, total]),
  )
}

function barChart(label: string, bars: readonly (readonly [string, number])[]): string {
  if (bars.length === 0) return ''
  const most = Math.max(...bars.map(([, total]) => total))
  const height = bars.length * (BAR + BAR_GAP)
  const scale = (WIDTH - BAR_LEFT - 80) / most
  const rows = bars.map(([name, total], index) => {
    const top = index * (BAR + BAR_GAP)
    const width = Math.max(1, total * scale)
    const short = name.length > LABEL_LENGTH_MAX ? `${name.slice(0, LABEL_LENGTH_MAX - 1)}…` : name
    return `<text class="axis" x="${BAR_LEFT - 10}" y="${top + 16}" text-anchor="end">${escapeHtml(short)}<title>${escapeHtml(name)}</title></text><rect class="${index === 0 ? 'first' : 'bar'}" x="${BAR_LEFT}" y="${top}" width="${width.toFixed(1)}" height="${BAR}" rx="3"/><text class="value" x="${(BAR_LEFT + width + 8).toFixed(1)}" y="${top + 16}">${usd(total)}</text>`
  })
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeHtml(label)}">${rows.join('')}</svg>`
}
