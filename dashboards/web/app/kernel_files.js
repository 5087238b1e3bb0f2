// The files that a kernel opens, see `services.bring` of a host.

export const ENDINGS = [".safetensors", ".npz", ".csv", ".parquet", ".pt", ".pth"]; // bundles, and logits, which become one
export const LARGEST = 2 ** 28; // bytes
