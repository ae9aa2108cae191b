export { type Blob, type Blobs, createBlobs, resealBlobKeys } from './blobs.ts'
