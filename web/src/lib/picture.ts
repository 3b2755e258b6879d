// Pictures of accounts and groups: square, as phones show them, and small.

const SIDE_PX = 640;
const QUALITY = 0.85;

/** Cuts the middle out of a picture and returns it as a data URL of a JPEG; null when the file is none. */
export async function squareJpeg(file: File): Promise<string | null> {
  const picture = await createImageBitmap(file).catch(() => null);
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = SIDE_PX;
  const paper = canvas.getContext('2d');
  if (!picture || !paper) return null;
  const side = Math.min(picture.width, picture.height);
  const [left, top] = [(picture.width - side) / 2, (picture.height - side) / 2];
  paper.fillStyle = '#fff';
  paper.fillRect(0, 0, SIDE_PX, SIDE_PX);
  paper.drawImage(picture, left, top, side, side, 0, 0, SIDE_PX, SIDE_PX);
  picture.close();
  return canvas.toDataURL('image/jpeg', QUALITY);
}
