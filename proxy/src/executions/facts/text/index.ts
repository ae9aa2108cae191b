export { imitatesCard } from './card-imitation.ts'
export { hasMixedWord } from './letters.ts'
export { hasHidden, readText } from './read-text.ts'
export { latinLook, skeleton } from './skeleton.ts'
