export {
  createDialler,
  type Dialler,
  type DiallerOptions,
  DialRefused,
  type DialTarget,
  type Resolve,
} from './dialler.ts'
