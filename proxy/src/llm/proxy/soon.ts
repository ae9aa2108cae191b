/** Nothing is waited for that is there already: each wait costs a busy proxy a turn. */
export type Soon<T> = T | Promise<T>

export const andThen = <T, U>(value: Soon<T>, next: (value: T) => Soon<U>): Soon<U> =>
  value instanceof Promise ? value.then(next) : next(value)
