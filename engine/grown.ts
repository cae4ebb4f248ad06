/** The same numbers in an array with room for `length` of them, and for as many again. */
export function grown(numbers: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
  if (length <= numbers.length) return numbers;
  const larger = new Uint32Array(Math.max(16, length * 2));
  larger.set(numbers);
  return larger;
}
