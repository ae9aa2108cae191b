import type { Recorder } from './recorder.ts'
import type { Program } from './syntax.ts'

const LETTERS = /[A-Za-z0-9_]/g
const NOT_ASCII = /[^\0-\x7f]/

/** Dangers of how names and strings are written. */
export function noteWriting(recorder: Recorder, program: Program): void {
  const shapes = new Map<string, { word: string; at: number }>()
  for (const [word, places] of program.words) {
    if (NOT_ASCII.test(word)) {
      const plain = word.normalize('NFKC')
      const more = (plain.match(LETTERS)?.length ?? 0) > (word.match(LETTERS)?.length ?? 0)
      if (more) for (const at of places) recorder.danger('escaped_name', at, plain)
    }
    if (word.length < 3) continue
    const shape = shapeOf(word)
    const other = shapes.get(shape)
    if (other === undefined) shapes.set(shape, { word, at: places[0] ?? 0 })
    else if (other.word !== word) {
      recorder.danger('confusable_names', other.at, `${other.word} and ${word}`)
      recorder.danger('confusable_names', places[0] ?? 0, `${other.word} and ${word}`)
    }
  }
  for (const at of program.odd) recorder.danger('odd_address', at)
  for (const at of program.escaped) recorder.danger('escaped_name', at)
}

/** Names of the same shape look the same in most fonts. Case and underscores are plain to see, so they stay. */
const shapeOf = (word: string): string =>
  word
    .normalize('NFC')
    .replace(/[Il1|]/g, 'l')
    .replace(/[O0]/g, 'O')
    .replace(/_+/g, (run) => (run.length > 1 ? '__' : '_'))
    .replace(/rn/g, 'm')
    .replace(/vv/g, 'w')
