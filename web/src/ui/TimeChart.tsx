import 'uplot/dist/uPlot.min.css'
import { useEffect, useEffectEvent, useRef } from 'react'
import uPlot from 'uplot'
import type { Tone } from './StateMark.tsx'
import { watchTheme } from './watch-theme.ts'

/**
 * Values over time, drawn by uPlot (https://github.com/leeoniya/uPlot). It is a picture: what it shows has to be there
 * in words beside it, and the crosshair is moved by whoever owns `cursor`, so that several charts share one.
 */
export interface Series {
  readonly label: string
  readonly colour: ChartColour
  /** Null is a gap; undefined is no value of its own, and the line goes on. */
  readonly values: readonly (number | null | undefined)[]
  readonly kind?: 'line' | 'bars'
  readonly width?: number
  readonly dashed?: boolean
}

export interface TimeChartProps {
  /** Seconds since 1970, ascending, one for each value. */
  readonly times: readonly number[]
  readonly from: number
  readonly to: number
  readonly series: readonly Series[]
  readonly height: number
  /** Logarithmic for times that go from a millisecond to seconds. */
  readonly scale: 'logarithmic' | 'percent'
  readonly formatValue: (value: number) => string
  readonly formatTime: (seconds: number) => string
  /** What happened, as lines across. */
  readonly marks?: readonly { readonly at: number; readonly tone: Tone }[]
  /** When nobody measured. */
  readonly gaps?: readonly { readonly from: number; readonly to: number }[]
  /** What was believed at each time, as a band at the foot. */
  readonly band?: readonly (Tone | null)[]
  /** Index of the time under the crosshair. */
  readonly cursor: number | null
  readonly onCursor: (index: number | null) => void
}

export const chartColours = {
  accent: '--accent-text',
  accentSoft: '--focus',
  ink: '--ink-2',
  inkSoft: '--ink-3',
  info: '--info-mark',
  good: '--good-mark',
  warning: '--warning-mark',
  bad: '--bad-mark',
} as const
export type ChartColour = keyof typeof chartColours

export function TimeChart(props: TimeChartProps) {
  const { series, height, scale } = props
  const shape = JSON.stringify([scale, height, series.map(({ label, colour, kind }) => [label, colour, kind])])
  return <Chart key={shape} {...props} />
}

/** Made once for its shape; data, size and theme change it in place. */
function Chart(props: TimeChartProps) {
  const { times, from, to, series, height, cursor } = props
  const box = useRef<HTMLDivElement>(null)
  const chart = useRef<uPlot | null>(null)
  const latest = useRef(props)

  const hearCursor = useEffectEvent((index: number | null) => {
    if (index !== props.cursor) props.onCursor(index)
  })

  useEffect(() => {
    const element = box.current
    if (element === null) return
    const paint = new Paint(element)
    const plot = new uPlot(
      optionsOf(latest, paint, element.clientWidth, (index) => hearCursor(index)),
      dataOf(latest.current),
      element,
    )
    chart.current = plot
    const sized = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: latest.current.height }))
    sized.observe(element)
    const unwatch = watchTheme(() => {
      paint.forget()
      plot.redraw(false)
    })
    return () => {
      unwatch()
      sized.disconnect()
      plot.destroy()
      chart.current = null
    }
  }, [])

  useEffect(() => {
    latest.current = props
  }, [props])

  useEffect(() => {
    const plot = chart.current
    plot?.batch(() => {
      plot.setData(dataOf({ times, series }), false)
      plot.setScale('x', { min: from, max: to })
    })
  }, [times, from, to, series])

  useEffect(() => {
    const plot = chart.current
    if (plot === null || (plot.cursor.idx ?? null) === cursor) return
    const time = cursor === null ? undefined : times[cursor]
    plot.setCursor({ left: time === undefined ? -10 : plot.valToPos(time, 'x'), top: 0 }, false)
  }, [cursor, times])

  return <div ref={box} aria-hidden="true" className="min-w-0 overflow-hidden" style={{ height }} />
}

/** The time axis and the value axis, and what is drawn behind and in front of the lines. */
function optionsOf(
  latest: { readonly current: TimeChartProps },
  paint: Paint,
  width: number,
  onCursor: (index: number | null) => void,
): uPlot.Options {
  const { height, series, scale } = latest.current
  const isLogarithmic = scale === 'logarithmic'
  const font = '11px Inter, system-ui, sans-serif'
  const axis: uPlot.Axis = {
    stroke: () => paint.colour('--ink-3'),
    font,
    grid: { stroke: () => paint.colour('--line'), width: 1 },
    ticks: { show: false },
  }
  return {
    width,
    height,
    scales: {
      x: { time: false, range: () => [latest.current.from, latest.current.to] },
      y: isLogarithmic ? logarithmic : { range: [0, 100] },
    },
    padding: [10, 6, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
    axes: [
      {
        ...axis,
        size: 24,
        gap: 4,
        space: 80,
        splits: (_, __, min, max) => evenTimes(min, max, Math.max(2, Math.floor(width / 110))),
        values: (_, splits) => splits.map((seconds) => latest.current.formatTime(seconds)),
      },
      {
        ...axis,
        size: 56,
        gap: 6,
        // Its own filter for logarithmic axes leaves holes in what is given to `values`.
        filter: (_, splits) => splits,
        splits: isLogarithmic ? (_, __, min, max) => powersOfTen(min, max) : () => [0, 50, 100],
        values: (_, splits) => splits.map((value) => latest.current.formatValue(value)),
      },
    ],
    series: [
      {},
      ...series.map(({ label, colour, kind = 'line', width: lineWidth = 1.5, dashed = false }): uPlot.Series => {
        const stroke = () => paint.colour(chartColours[colour])
        const common = { label, stroke, width: lineWidth, spanGaps: false, ...(dashed && { dash: [4, 3] }) }
        if (kind === 'line') return { ...common, points: { size: 3, fill: stroke } }
        return { ...common, fill: stroke, points: { show: false }, ...barsPath }
      }),
    ],
    hooks: {
      drawClear: [(plot) => drawGaps(plot, latest.current, paint)],
      draw: [(plot) => drawMarks(plot, latest.current, paint), (plot) => drawBand(plot, latest.current, paint)],
      setCursor: [(plot) => onCursor(plot.cursor.idx ?? null)],
    },
  }
}

// uPlot describes its enumeration by types alone: at run time there is only the number.
// oxlint-disable-next-line typescript/no-unsafe-enum-assignment
const logarithmic: uPlot.Scale = { distr: 3, log: 10, range: (_, min, max) => decades(min, max) }

const bars = uPlot.paths.bars?.({ size: [1, 24], align: 0 })
const barsPath: Pick<uPlot.Series, 'paths'> = bars === undefined ? {} : { paths: bars }

function dataOf({ times, series }: Pick<TimeChartProps, 'times' | 'series'>): uPlot.AlignedData {
  return [[...times], ...series.map(({ values }) => [...values])]
}

/** Whole powers of ten around the values, with room for the band at the foot; from 0.1 to 10 where there is none. */
function decades(min: number | null, max: number | null): [number, number] {
  if (min === null || max === null || !(max > 0)) return [0.1, 10]
  const low = Math.floor(Math.log10(Math.max(min / 1.5, 1e-3)))
  const high = Math.ceil(Math.log10(Math.max(max, 1e-3)))
  return [10 ** low, 10 ** Math.max(high, low + 1)]
}

function powersOfTen(min: number, max: number): number[] {
  const [low, high] = [Math.ceil(Math.log10(min) - 1e-9), Math.floor(Math.log10(max) + 1e-9)]
  return Array.from({ length: Math.max(0, high - low + 1) }, (_, n) => 10 ** (low + n))
}

/** Times at even steps that people count in, in the person's own zone: no more of them than have room. */
function evenTimes(min: number, max: number, most: number): number[] {
  const steps = [60, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 432_000, 604_800]
  const step = steps.find((seconds) => (max - min) / seconds <= most) ?? 2_592_000
  const zone = new Date(min * 1000).getTimezoneOffset() * 60
  const first = Math.ceil((min - zone) / step) * step + zone
  return Array.from({ length: Math.max(0, Math.floor((max - first) / step) + 1) }, (_, n) => first + n * step)
}

function drawGaps(plot: uPlot, { gaps = [], from, to }: TimeChartProps, paint: Paint): void {
  const { ctx, bbox } = plot
  ctx.save()
  for (const gap of gaps) {
    const [begins, ends] = [Math.max(gap.from, from), Math.min(gap.to, to)]
    if (begins >= ends) continue
    const left = Math.floor(plot.valToPos(begins, 'x', true))
    const wide = Math.max(1, Math.ceil(plot.valToPos(ends, 'x', true)) - left)
    ctx.fillStyle = paint.colour('--unknown-soft')
    ctx.fillRect(left, bbox.top, wide, bbox.height)
    hatch(ctx, { left, top: bbox.top, wide, high: bbox.height }, paint.colour('--unknown-mark'))
  }
  ctx.restore()
}

/** What nobody knows is hatched, as everywhere. */
function hatch(
  ctx: CanvasRenderingContext2D,
  { left, top, wide, high }: { left: number; top: number; wide: number; high: number },
  colour: string,
): void {
  ctx.save()
  ctx.beginPath()
  ctx.rect(left, top, wide, high)
  ctx.clip()
  ctx.strokeStyle = colour
  ctx.globalAlpha = 0.5
  ctx.lineWidth = 1
  ctx.beginPath()
  for (let x = left - high; x < left + wide; x += 8) {
    ctx.moveTo(x, top + high)
    ctx.lineTo(x + high, top)
  }
  ctx.stroke()
  ctx.restore()
}

function drawMarks(plot: uPlot, { marks = [], from, to }: TimeChartProps, paint: Paint): void {
  const { ctx, bbox } = plot
  const pixel = window.devicePixelRatio
  ctx.save()
  for (const { at, tone } of marks) {
    if (at < from || at > to) continue
    const x = Math.round(plot.valToPos(at, 'x', true))
    const colour = paint.colour(`--${tone}-mark`)
    ctx.strokeStyle = colour
    ctx.fillStyle = colour
    ctx.globalAlpha = 0.7
    ctx.lineWidth = pixel
    ctx.setLineDash([3 * pixel, 3 * pixel])
    ctx.beginPath()
    ctx.moveTo(x, bbox.top)
    ctx.lineTo(x, bbox.top + bbox.height)
    ctx.stroke()
    ctx.globalAlpha = 1
    ctx.beginPath()
    ctx.moveTo(x - 4 * pixel, bbox.top - 7 * pixel)
    ctx.lineTo(x + 4 * pixel, bbox.top - 7 * pixel)
    ctx.lineTo(x, bbox.top - pixel)
    ctx.fill()
  }
  ctx.restore()
}

function drawBand(plot: uPlot, { band = [], times }: TimeChartProps, paint: Paint): void {
  const { ctx, bbox } = plot
  const high = 4 * window.devicePixelRatio
  const half = ((times[1] ?? 0) - (times[0] ?? 0)) / 2
  ctx.save()
  for (const [index, tone] of band.entries()) {
    const time = times[index]
    if (tone === null || time === undefined) continue
    const left = Math.max(bbox.left, plot.valToPos(time - half, 'x', true))
    const right = Math.min(bbox.left + bbox.width, plot.valToPos(time + half, 'x', true))
    ctx.fillStyle = paint.colour(`--${tone}-mark`)
    ctx.fillRect(left, bbox.top + bbox.height - high, Math.max(1, right - left), high)
  }
  ctx.restore()
}

/** A canvas knows no custom properties: they are read from an element, once for each theme. */
class Paint {
  readonly #probe: HTMLSpanElement
  readonly #known = new Map<string, string>()

  constructor(element: HTMLElement) {
    this.#probe = document.createElement('span')
    this.#probe.hidden = true
    element.append(this.#probe)
  }

  colour(property: string): string {
    const known = this.#known.get(property)
    if (known !== undefined) return known
    this.#probe.style.color = `var(${property})`
    const colour = getComputedStyle(this.#probe).color
    this.#known.set(property, colour)
    return colour
  }

  forget(): void {
    this.#known.clear()
  }
}
