/** The newest that a machine printed, in memory: bounded whatever it prints, and gone with its endpoint. */

/** As it was printed: untrusted, with secrets in it. */
export interface MachineLog {
  /** Each is a run of whole lines, but that the last one of those that are followed by another was cut at its end. */
  readonly parts: readonly string[]
  /** Older lines were dropped. */
  readonly isCut: boolean
}

const MAX_CHARS = 65_536
/** Of memory, beside its text. */
const LINE_CHARS = 24
/** To which OpenClaw's supervisor cuts a line. */
const MAX_LINE_CHARS = 4_096

export function createMachineLog() {
  const lines: string[] = []
  let chars = 0
  let isCut = false
  return {
    add(line: string): void {
      const kept = `${line.slice(0, MAX_LINE_CHARS)}\n`
      lines.push(kept)
      chars += kept.length + LINE_CHARS
      while (chars > MAX_CHARS) {
        chars -= (lines.shift()?.length ?? 0) + LINE_CHARS
        isCut = true
      }
    },
    kept(): MachineLog {
      const parts: string[] = []
      let part = ''
      for (const line of lines) {
        part += line
        if (line.length <= MAX_LINE_CHARS) continue
        parts.push(part)
        part = ''
      }
      return { parts: [...parts, part], isCut }
    },
  }
}
