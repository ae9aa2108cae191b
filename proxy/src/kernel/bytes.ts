const UNITS = ['KiB', 'MiB', 'GiB', 'TiB'] as const

/** For a person: `900 B`, `1.5 KiB`, `3.0 MiB`. Units of 1,024 (IEC 80000-13). */
export function formatBytes(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`
  let size = bytes / 1_024
  let unit = 0
  // What would be rounded to 1024.0 of a unit is one of the next.
  for (; unit < UNITS.length - 1 && size >= 1_023.95; unit += 1) size /= 1_024
  return `${size.toFixed(1)} ${UNITS[unit]}`
}
