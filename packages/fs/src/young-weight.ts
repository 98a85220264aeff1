/*
 * V8 frees buffers that die young in collections of the young generation, which are cheap. It runs one when the objects in
 * its heap take 16 MB, however many bytes of buffers outside the heap they refer to. But when those bytes have grown by
 * 64 MB, it collects the whole heap, at the CPU time of hundreds of hits. Reading 50 KB makes so little garbage in the heap
 * that the second always comes first.
 */

// Of 8 bytes each. Larger arrays would not be in the space of young objects.
const MAX_ELEMENTS = 8192;
const BYTES_PER_ELEMENT = 8;

/** The latest garbage, so that the compiler cannot leave it out. */
const latest: { garbage: unknown[] } = { garbage: [] };

/** Makes garbage in the heap of half the size of a buffer, so that a young collection comes before a full one. */
export function addYoungWeight(bufferBytes: number): void {
  for (let elements = bufferBytes / 2 / BYTES_PER_ELEMENT; elements >= 1; elements -= MAX_ELEMENTS) {
    latest.garbage = new Array(Math.min(MAX_ELEMENTS, Math.floor(elements)));
  }
}
