// Files that this page sent, or that its reader chose again: playable here though not kept there.

const addresses = new Map();

/** Keeps a file for a job and gives a blob: address to play it from. */
export function rememberFile(id, file) {
  const old = addresses.get(id);
  if (old) URL.revokeObjectURL(old);
  const address = URL.createObjectURL(file);
  addresses.set(id, address);
  return address;
}

/** The address of a job's file, or null. */
export function localFile(id) {
  return addresses.get(id) ?? null;
}
