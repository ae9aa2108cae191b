import { useEffect, useRef } from 'preact/hooks'
import type uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'

export interface Series {
  readonly label: string
  readonly values: readonly number[]
  /** A custom property of the page's colours. */
  readonly color: string
}

const HEIGHT = 180
const HALF_A_DAY = 43_200

/** Bars by day. Drawn on a canvas with the page's colours; the same figures stand in a table beside it, for those who cannot see it. */
export function DayPlot({
  label,
  days,
  series,
  format,
}: {
  readonly label: string
  /** `2030-01-31`, ascending. */
  readonly days: readonly string[]
  readonly series: readonly Series[]
  readonly format: (value: number) => string
}) {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const within = place.current
    if (within === null || days.length === 0) return
    let plot: uPlot | undefined
    let isGone = false
    const width = new ResizeObserver(([entry]) => {
      if (entry && plot) plot.setSize({ width: Math.floor(entry.contentRect.width), height: HEIGHT })
    })
    const draw = async (): Promise<void> => {
      const { default: UPlot } = await import('uplot')
      if (isGone) return
      plot = new UPlot(optionsOf(UPlot, within, series, format), dataOf(days, series), within)
      width.observe(within)
    }
    void draw()
    const scheme = matchMedia('(prefers-color-scheme: dark)')
    const redraw = (): void => plot?.redraw()
    scheme.addEventListener('change', redraw)
    return () => {
      isGone = true
      width.disconnect()
      scheme.removeEventListener('change', redraw)
      plot?.destroy()
    }
  }, [days, series, format])
  return <div class="plot" role="img" aria-label={label} ref={place} />
}

const dataOf = (days: readonly string[], series: readonly Series[]): uPlot.AlignedData => [
  days.map((day) => Date.parse(`${day}T00:00:00Z`) / 1_000),
  ...series.map(({ values }) => [...values]),
]

function optionsOf(
  UPlot: typeof uPlot,
  within: HTMLElement,
  series: readonly Series[],
  format: (value: number) => string,
): uPlot.Options {
  // A custom property is read as it is written, and a canvas takes no light-dark(): a colour that is in use is read instead.
  const color = (name: string): string => {
    within.style.color = `var(${name})`
    const used = getComputedStyle(within).color
    within.style.removeProperty('color')
    return used
  }
  const bars = UPlot.paths.bars?.({ size: [0.6, 24] })
  const axis = { stroke: () => color('--text-soft'), grid: { stroke: () => color('--line'), width: 1 } }
  return {
    width: Math.floor(within.getBoundingClientRect().width),
    height: HEIGHT,
    // Days of the daemon's accounts are days in UTC.
    tzDate: (seconds) => UPlot.tzDate(new Date(seconds * 1_000), 'Etc/UTC'),
    scales: {
      x: { range: (_, first, last) => [first - HALF_A_DAY, last + HALF_A_DAY] },
      // A bar tells by its length.
      y: { range: (_, __, most) => [0, most] },
    },
    axes: [axis, { ...axis, size: 64, values: (_, ticks) => ticks.map(format) }],
    series: [
      { label: 'Day' },
      ...series.map(
        ({ label, color: name }): uPlot.Series => ({
          label,
          stroke: () => color(name),
          fill: () => color(name),
          ...(bars && { paths: bars }),
          points: { show: false },
          value: (_, value) => (value === null ? '–' : format(value)),
        }),
      ),
    ],
  }
}
