/**
 * The part of Python's syntax that the reader follows. `at` is the offset in the text. Chains that Python reads from the
 * left (`a + b + c`) are one node with many operands, so that their length costs no depth.
 */
export type Expr =
  | {
      readonly k: 'const'
      readonly at: number
      readonly v: string | number | boolean | null
      readonly bytes?: true
    }
  | { readonly k: 'fstring'; readonly at: number; readonly parts: readonly (string | FieldPart)[] }
  | { readonly k: 'name'; readonly at: number; readonly id: string }
  | { readonly k: 'attr'; readonly at: number; readonly obj: Expr; readonly name: string }
  | { readonly k: 'sub'; readonly at: number; readonly obj: Expr; readonly index: Expr }
  | { readonly k: 'slice'; readonly at: number; readonly parts: readonly (Expr | null)[] }
  | { readonly k: 'call'; readonly at: number; readonly fn: Expr; readonly args: readonly Arg[] }
  | {
      readonly k: 'chain'
      readonly at: number
      readonly ops: readonly string[]
      readonly items: readonly Expr[]
    }
  | { readonly k: 'unary'; readonly at: number; readonly op: string; readonly x: Expr }
  | { readonly k: 'if'; readonly at: number; readonly test: Expr; readonly a: Expr; readonly b: Expr }
  | { readonly k: 'lambda'; readonly at: number; readonly fn: FunctionNode }
  | { readonly k: 'seq'; readonly at: number; readonly items: readonly Expr[] }
  | { readonly k: 'star'; readonly at: number; readonly x: Expr }
  | { readonly k: 'dict'; readonly at: number; readonly entries: readonly (readonly [Expr | null, Expr])[] }
  | {
      readonly k: 'comp'
      readonly at: number
      readonly key: Expr | null
      readonly value: Expr
      readonly clauses: readonly Clause[]
    }
  | { readonly k: 'wait'; readonly at: number; readonly x: Expr }
  | { readonly k: 'yield'; readonly at: number; readonly x: Expr | null; readonly from: boolean }
  | { readonly k: 'walrus'; readonly at: number; readonly name: string; readonly x: Expr }

/** A replacement field of an f-string. */
export interface FieldPart {
  readonly x: Expr
  /** It has a conversion or a format, so its text is not the text of the value. */
  readonly formatted: boolean
}

/** `star` is `*` or `**` for an unpacked argument, otherwise ''. */
export interface Arg {
  readonly name: string | null
  readonly star: string
  readonly x: Expr
}

/** `for target in iter if test …` of a comprehension. */
export interface Clause {
  readonly target: Expr
  readonly iter: Expr
  readonly tests: readonly Expr[]
}

/** `star` is `*` or `**` for a parameter that takes the rest, otherwise ''. */
export interface Param {
  readonly name: string
  readonly star: string
  readonly initial: Expr | null
}

/** A `def` or a lambda. `locals` are the names that its body binds. */
export interface FunctionNode {
  readonly at: number
  readonly name: string
  readonly params: readonly Param[]
  readonly body: readonly Stmt[]
  readonly locals: ReadonlySet<string>
  readonly generator: boolean
}

/** `except type as name`. */
export interface Handler {
  readonly type: Expr | null
  readonly name: string | null
  readonly body: readonly Stmt[]
}

/** A statement. */
export type Stmt =
  | { readonly k: 'expr'; readonly at: number; readonly x: Expr }
  | { readonly k: 'assign'; readonly at: number; readonly targets: readonly Expr[]; readonly x: Expr | null }
  | {
      readonly k: 'update'
      readonly at: number
      readonly target: Expr
      readonly op: string
      readonly x: Expr
    }
  | { readonly k: 'delete'; readonly at: number; readonly targets: readonly Expr[] }
  | { readonly k: 'return'; readonly at: number; readonly x: Expr | null }
  | { readonly k: 'raise'; readonly at: number; readonly x: Expr | null }
  | { readonly k: 'leave'; readonly at: number }
  | { readonly k: 'import'; readonly at: number; readonly module: string; readonly as: string | null }
  | {
      readonly k: 'from'
      readonly at: number
      readonly module: string
      /** Null for `*`. */
      readonly names: readonly { readonly name: string; readonly as: string }[] | null
    }
  | {
      readonly k: 'if'
      readonly at: number
      readonly branches: readonly { readonly test: Expr; readonly body: readonly Stmt[] }[]
      readonly otherwise: readonly Stmt[]
    }
  | {
      readonly k: 'while'
      readonly at: number
      readonly test: Expr
      readonly body: readonly Stmt[]
      readonly otherwise: readonly Stmt[]
    }
  | {
      readonly k: 'for'
      readonly at: number
      readonly target: Expr
      readonly iter: Expr
      readonly body: readonly Stmt[]
      readonly otherwise: readonly Stmt[]
    }
  | {
      readonly k: 'try'
      readonly at: number
      readonly body: readonly Stmt[]
      readonly handlers: readonly Handler[]
      readonly otherwise: readonly Stmt[]
      readonly last: readonly Stmt[]
    }
  | {
      readonly k: 'with'
      readonly at: number
      readonly items: readonly { readonly x: Expr; readonly target: Expr | null }[]
      readonly body: readonly Stmt[]
    }
  | {
      readonly k: 'def'
      readonly at: number
      readonly fn: FunctionNode
      readonly decorators: readonly Expr[]
    }
  | {
      readonly k: 'class'
      readonly at: number
      readonly name: string
      readonly args: readonly Arg[]
      readonly body: readonly Stmt[]
      readonly decorators: readonly Expr[]
    }
  | {
      readonly k: 'match'
      readonly at: number
      readonly subject: Expr
      readonly cases: readonly {
        readonly names: readonly string[]
        readonly guard: Expr | null
        readonly body: readonly Stmt[]
      }[]
    }
  | { readonly k: 'scope'; readonly at: number; readonly global: boolean; readonly names: readonly string[] }

/** What the text of a program says, beside its statements. */
export interface Program {
  readonly body: readonly Stmt[]
  /** Every name as it is written, with the offsets where it stands. */
  readonly words: ReadonlyMap<string, readonly number[]>
  /** Offsets of string literals that write plain letters as escapes. */
  readonly escaped: readonly number[]
  /** Offsets of addresses with dots or slashes that are not what they seem. */
  readonly odd: readonly number[]
}
