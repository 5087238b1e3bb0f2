// A button that takes a file and sends it in pieces.
//
// page -> kernel   {type: "begin", name, size}  {type: "piece"} + [bytes]  {type: "refused", message}
// kernel -> page   {type: "next"}  {type: "end"}

const PIECE = 2 ** 20; // bytes

function render({ model, el }) {
  const input = Object.assign(document.createElement("input"), { type: "file", accept: model.get("endings").join(",") });
  const label = document.createElement("label");
  const words = document.createElement("span");
  words.textContent = model.get("label");
  label.append(words, input);
  label.title = `Takes ${model.get("endings").join(" or ")}; files can be dropped here too`;
  el.classList.add("mnuts-upload");
  el.append(label);
  let file, sent;

  const idle = () => {
    file = undefined;
    input.value = ""; // so that the same file can be chosen again
    input.disabled = false;
    words.textContent = model.get("label");
  };
  const begin = (chosen) => {
    if (!chosen || file) return;
    if (chosen.size > model.get("limit")) {
      const [most, size] = [model.get("limit"), chosen.size].map((bytes) => Math.ceil(bytes / 2 ** 20));
      model.send({ type: "refused", message: `${chosen.name} is too large: ${size} MiB, at most ${most} are taken` });
      return idle();
    }
    [file, sent] = [chosen, 0];
    input.disabled = true;
    model.send({ type: "begin", name: file.name, size: file.size });
  };
  const next = async () => {
    if (!file) return;
    try {
      const piece = await file.slice(sent, sent + PIECE).arrayBuffer();
      sent += piece.byteLength;
      words.textContent = `${Math.round((100 * sent) / file.size)} %`;
      model.send({ type: "piece" }, undefined, [piece]);
    } catch {
      model.send({ type: "refused", message: `${file.name} could not be read` });
    }
  };
  const receive = (message) => (message.type === "next" ? next() : message.type === "end" ? idle() : undefined);
  model.on("msg:custom", receive);
  input.addEventListener("change", () => begin(input.files[0]));
  label.addEventListener("dragover", (event) => {
    event.preventDefault();
    label.classList.add("over");
  });
  label.addEventListener("dragleave", () => label.classList.remove("over"));
  label.addEventListener("drop", (event) => {
    event.preventDefault();
    label.classList.remove("over");
    begin(event.dataTransfer.files[0]);
  });
  return () => model.off("msg:custom", receive);
}

export default { render };
