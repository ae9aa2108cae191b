import { type Layer, ROOT, type Visit } from './graph.ts'
import { type Alphabet, END, FIRST_INNER, type Spelling, START } from './spelling.ts'

interface Between {
  readonly spelling: Spelling
  /** Without one, what follows is something else: numbers run together otherwise. */
  readonly isNeeded: boolean
}

/**
 * The symbols of a layer written as bytes: each in any of its spellings, with at most one separator between two.
 *
 * A node is one of the layer below (as it stands, or with a separator read), or a place inside a spelling, which is
 * kept with the node that the spelling leads to (of a separator: with the node that it stands at).
 */
export function createWritten(below: Layer, alphabet: Alphabet, between: Between): Layer {
  const { spelling: separator, isNeeded } = between
  const PLAIN = 0
  const SEPARATED = 1
  /** To be added to a place in a spelling, which is never its START or END. */
  const inSeparator = 2 - FIRST_INNER
  const firstInSymbol = 2 + separator.inner
  const inSymbol = firstInSymbol - FIRST_INNER
  const symbols = alphabet.offsets.length - 1
  const stride = firstInSymbol + (alphabet.offsets[symbols] as number)

  const symbolAt = (place: number): number => {
    let low = 0
    let high = symbols - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((alphabet.offsets[middle] as number) <= place) low = middle
      else high = middle - 1
    }
    return low
  }

  const beginSymbols = (node: number, visit: Visit): void => {
    below.out(node, (symbol, target) => {
      const place = target * stride + inSymbol + (alphabet.offsets[symbol] as number)
      const edges = alphabet.spelling(symbol).out[START] as number[]
      for (let at = 0; at < edges.length; at += 2) {
        const to = edges[at + 1] as number
        visit(edges[at] as number, to === END ? target * stride : place + to)
      }
    })
  }

  const beginSeparator = (node: number, visit: Visit): void => {
    let goesOn = false
    below.out(node, () => {
      goesOn = true
    })
    if (!goesOn) return
    const edges = separator.out[START] as number[]
    for (let at = 0; at < edges.length; at += 2) {
      const to = edges[at + 1] as number
      visit(edges[at] as number, node * stride + (to === END ? SEPARATED : inSeparator + to))
    }
  }

  /** Where a symbol that leads to the node may have begun. */
  const beginningsOf = (node: number, symbol: number, byte: number, visit: Visit): void => {
    below.into(node, (label, source) => {
      if (label !== symbol) return
      if (source === ROOT) return visit(byte, ROOT)
      if (!isNeeded) visit(byte, source * stride)
      visit(byte, source * stride + SEPARATED)
    })
  }

  return {
    size: below.size * stride,
    out(id, visit) {
      const slot = id % stride
      const node = (id - slot) / stride
      if (slot === PLAIN) {
        if (!isNeeded || node === ROOT) beginSymbols(node, visit)
        if (node !== ROOT) beginSeparator(node, visit)
      } else if (slot === SEPARATED) beginSymbols(node, visit)
      else if (slot < firstInSymbol) {
        const edges = separator.out[slot - inSeparator] as number[]
        for (let at = 0; at < edges.length; at += 2) {
          const to = edges[at + 1] as number
          visit(edges[at] as number, node * stride + (to === END ? SEPARATED : inSeparator + to))
        }
      } else {
        const symbol = symbolAt(slot - firstInSymbol)
        const offset = inSymbol + (alphabet.offsets[symbol] as number)
        const edges = alphabet.spelling(symbol).out[slot - offset] ?? []
        for (let at = 0; at < edges.length; at += 2) {
          const to = edges[at + 1] as number
          visit(edges[at] as number, node * stride + (to === END ? PLAIN : offset + to))
        }
      }
    },
    into(id, visit) {
      const slot = id % stride
      const node = (id - slot) / stride
      if (slot === PLAIN) {
        const symbolsInto: number[] = []
        below.into(node, (symbol) => {
          if (!symbolsInto.includes(symbol)) symbolsInto.push(symbol)
        })
        for (const symbol of symbolsInto) {
          const place = node * stride + inSymbol + (alphabet.offsets[symbol] as number)
          const edges = alphabet.spelling(symbol).into[END] as number[]
          for (let at = 0; at < edges.length; at += 2) {
            const byte = edges[at] as number
            const from = edges[at + 1] as number
            if (from === START) beginningsOf(node, symbol, byte, visit)
            else visit(byte, place + from)
          }
        }
      } else if (slot < firstInSymbol) {
        const edges = separator.into[slot === SEPARATED ? END : slot - inSeparator] as number[]
        for (let at = 0; at < edges.length; at += 2) {
          const from = edges[at + 1] as number
          visit(edges[at] as number, node * stride + (from === START ? PLAIN : inSeparator + from))
        }
      } else {
        const symbol = symbolAt(slot - firstInSymbol)
        const offset = inSymbol + (alphabet.offsets[symbol] as number)
        const edges = alphabet.spelling(symbol).into[slot - offset] ?? []
        for (let at = 0; at < edges.length; at += 2) {
          const byte = edges[at] as number
          const from = edges[at + 1] as number
          if (from === START) beginningsOf(node, symbol, byte, visit)
          else visit(byte, node * stride + offset + from)
        }
      }
    },
    accepts: (id) => id % stride === PLAIN && below.accepts((id - (id % stride)) / stride),
    shortest: below.shortest * alphabet.shortest,
    depth: (id) => below.depth((id - (id % stride)) / stride) * (alphabet.longest + separator.longest),
  }
}
