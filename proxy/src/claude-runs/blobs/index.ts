export { type Blob, type Blobs, blobKeyPurpose, createBlobs } from './blobs.ts'
