// The page's camera: opened for one capture, released right after. Pictures go as JPEG to this terminal
// only. When the terminal or the network is slow, pictures are skipped, never queued.

const WIDTH = 640;
const HEIGHT = 480;
const QUALITY = 0.88;
const MAX_IN_FLIGHT = 2;
const MIN_INTERVAL_MS = 30;
const SLOWEST_MS = 200;

export class CameraUnavailable extends Error {}

export class PageCamera {
  #stream = null;
  #canvas = document.createElement("canvas");
  #inFlight = 0;
  #lastSent = -Infinity;
  #encoding = false;
  #counted = NaN;
  #paused = false;

  /** @param onAnswer called with (answer Response) of each accepted picture; @param onEnd with a reason. */
  constructor(video, address, { onAnswer = () => {}, onEnd = () => {} } = {}) {
    this.video = video;
    this.address = address;
    this.onAnswer = onAnswer;
    this.onEnd = onEnd;
    addEventListener("pagehide", () => this.close());
  }

  get isOpen() {
    return this.#stream !== null;
  }

  async open() {
    if (this.#stream) return;
    if (!navigator.mediaDevices?.getUserMedia) throw new CameraUnavailable("insecure");
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({
        audio: false,
        video: { facingMode: "user", width: { ideal: WIDTH }, height: { ideal: HEIGHT }, frameRate: { ideal: 30 } },
      });
    } catch (error) {
      throw new CameraUnavailable(error.name);
    }
    for (const track of this.#stream.getVideoTracks()) {
      track.addEventListener("ended", () => this.#end("gone"));
    }
    this.video.srcObject = this.#stream;
    await this.video.play();
  }

  /** Send pictures until closed; `ticket` names this capture. */
  start(ticket) {
    this.ticket = ticket;
    this.#next(this.#stream);
  }

  /** Keep the camera open but send nothing, while the shopper types; and go on. */
  set paused(value) {
    this.#paused = value;
  }

  close() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.video.srcObject = null;
    this.#canvas.width = 0;
  }

  #end(reason) {
    if (!this.#stream) return;
    this.close();
    this.onEnd(reason);
  }

  #next(stream) {
    if (this.#stream !== stream || !stream) return;
    let due = true;
    const seen = () => {
      if (!due || this.#stream !== stream) return;
      due = false;
      this.#take();
      this.#next(stream);
    };
    // A browser that sees no need to draw the video calls nobody back; then its frame count tells what is new.
    setTimeout(() => {
      const count = this.video.getVideoPlaybackQuality?.().totalVideoFrames ?? NaN;
      const fresh = count !== this.#counted;
      this.#counted = count;
      if (!due) return;
      if (fresh) seen();
      else {
        due = false;
        this.#next(stream);
      }
    }, SLOWEST_MS);
    this.video.requestVideoFrameCallback?.(seen);
  }

  #take() {
    const now = performance.now();
    const busy = this.#paused || this.#encoding || this.#inFlight >= MAX_IN_FLIGHT || now - this.#lastSent < MIN_INTERVAL_MS;
    const { videoWidth, videoHeight } = this.video;
    if (busy || !videoWidth) return;
    this.#lastSent = now;
    const scale = Math.min(1, WIDTH / videoWidth);
    this.#canvas.width = Math.round(videoWidth * scale);
    this.#canvas.height = Math.round(videoHeight * scale);
    this.#canvas.getContext("2d", { alpha: false }).drawImage(this.video, 0, 0, this.#canvas.width, this.#canvas.height);
    this.#encoding = true;
    this.#canvas.toBlob((blob) => {
      this.#encoding = false;
      if (blob && this.#stream) this.#post(blob);
    }, "image/jpeg", QUALITY);
  }

  async #post(blob) {
    this.#inFlight += 1;
    try {
      const answer = await fetch(this.address, {
        method: "POST",
        body: blob,
        headers: {
          "Content-Type": "image/jpeg",
          Accept: "application/json",
          "X-Capture": this.ticket,
        },
        signal: AbortSignal.timeout(5_000),
      });
      if (answer.ok) this.onAnswer(answer);
      else if (answer.status !== 429 && answer.status !== 400) this.#end("over");
    } catch {
      // One lost picture is no reason to stop; the terminal's own deadline ends a dead capture.
    } finally {
      this.#inFlight -= 1;
    }
  }
}
