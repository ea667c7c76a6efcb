// Asks for the place of a city, then for the weather there; no key is needed.
async function ask(url) {
  let answer;
  try {
    answer = await fetch(url);
  } catch (why) {
    throw `${url} cannot be reached: ${why.message}`;
  }
  if (!answer.ok) throw `${url} answered ${answer.status}`;
  return answer.json();
}

export async function getWeather(city) {
  const places = await ask(`https://geocoding-api.open-meteo.com/v1/search?count=1&name=${encodeURIComponent(city)}`);
  if (!places.results?.length) throw `there is no city ${city}`;
  const { name, latitude, longitude } = places.results[0];
  const now = await ask(
    `https://api.open-meteo.com/v1/forecast?latitude=${latitude}&longitude=${longitude}&current=temperature_2m`,
  );
  return `${name}: ${now.current.temperature_2m} ${now.current_units.temperature_2m}`;
}
