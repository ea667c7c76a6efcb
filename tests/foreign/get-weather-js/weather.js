// Asks for the place of a city, then for the temperature there. The key comes from the component's settings, and so may the
// address of the API, so that a test can be its server.
import { get } from "wasi:config/store@0.2.0-draft";

async function ask(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw `the weather service answered ${answer.status}`;
  return answer.json();
}

export async function getWeather(city) {
  const key = get("OPENWEATHER_API_KEY");
  if (key === undefined) throw "OPENWEATHER_API_KEY is not set";
  const api = get("OPENWEATHER_API") ?? "https://api.openweathermap.org";
  try {
    const [place] = await ask(`${api}/geo/1.0/direct?q=${encodeURIComponent(city)}&limit=1&appid=${key}`);
    if (place === undefined) throw `there is no city ${city}`;
    const now = await ask(`${api}/data/2.5/weather?lat=${place.lat}&lon=${place.lon}&units=metric&appid=${key}`);
    return `${now.main.temp}`;
  } catch (why) {
    throw typeof why === "string" ? why : `${why.message}`;
  }
}
