/** Numbers that are counted from the start on, in the shape in which prom-client's registries tell theirs (`getMetricsAsJSON`). */
type Labels = Readonly<Record<string, string>>

export interface Sample {
  readonly labels: Labels
  readonly value: number
  /** Where it is not the metric's own: a histogram's `…_bucket`, `…_sum` and `…_count`. */
  readonly metricName?: string
}

export interface Counts {
  inc(labels: Labels): void
  samples(): Sample[]
}

export function createCounts(): Counts {
  const counts = new Map<string, { readonly labels: Labels; value: number }>()
  return {
    inc(labels) {
      const key = JSON.stringify(labels)
      const count = counts.get(key)
      if (count === undefined) counts.set(key, { labels, value: 1 })
      else count.value += 1
    },
    samples: () => [...counts.values()].map((count) => ({ ...count })),
  }
}

export interface Durations {
  observe(labels: Labels, seconds: number): void
  samples(): Sample[]
}

/** A histogram: `bounds` are the upper ends of its buckets, from the least. */
export function createDurations(name: string, bounds: readonly number[]): Durations {
  const les = [...bounds.map(String), '+Inf']
  const observed = new Map<string, { readonly labels: Labels; readonly within: number[]; sum: number }>()
  return {
    observe(labels, seconds) {
      const key = JSON.stringify(labels)
      const of = observed.get(key) ?? { labels, within: les.map(() => 0), sum: 0 }
      observed.set(key, of)
      const at = bounds.findIndex((bound) => seconds <= bound)
      const bucket = at < 0 ? bounds.length : at
      of.within[bucket] = (of.within[bucket] ?? 0) + 1
      of.sum += seconds
    },
    samples: () =>
      [...observed.values()].flatMap(({ labels, within, sum }) => {
        let count = 0
        const buckets = les.map((le, at) => {
          count += within[at] ?? 0
          return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: count }
        })
        return [
          ...buckets,
          { metricName: `${name}_sum`, labels, value: sum },
          { metricName: `${name}_count`, labels, value: count },
        ]
      }),
  }
}
