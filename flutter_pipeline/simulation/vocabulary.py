"""The words that simulated birds know, by theme and topic: plain English, so that a pretrained
model understands them too.

A theme holds three topics that a human would call related; a topic's words stand roughly from
common to rare. Nothing here knows how words become a text.
"""

THEMES: dict[str, dict[str, str]] = {
    "weather": {
        "storms": (
            "storm thunder lightning wind gale hurricane tornado gust hail squall warning clouds"
            " downpour blizzard cyclone damage radar outage shelter rumble flash evacuate dark"
        ),
        "sunshine": (
            "sunshine sunny heat summer warm sky blue sunset sunrise sunscreen shade hot heatwave"
            " humid tan degrees bright breeze dusk dawn golden drought rays shorts"
        ),
        "snow": (
            "snow winter ice frost cold frozen sledge snowman flakes icicle scarf mittens shovel"
            " freezing slush drift chill fireplace glacier sleet thaw boots january"
        ),
    },
    "birdlife": {
        "nests": (
            "nest eggs twigs chicks hatch birdhouse feather brood hatchling feeder perch moss"
            " fledgling incubate branch eaves cuckoo robin wren clutch burrow roost beak"
        ),
        "migration": (
            "migration flight geese wings flock swallow stork south altitude wetlands fly soaring"
            " albatross navigation route formation tern arctic season thermals distance glide"
        ),
        "birdsong": (
            "birdsong chirp nightingale blackbird warbler trill chorus whistle melodies owl hoot"
            " twitter lark thrush tweet call mimic binoculars birdwatching finch canary dawnsong"
        ),
    },
    "food": {
        "baking": (
            "bread bake cake dough flour oven sourdough cookies butter yeast pastry crust sugar"
            " muffin brownie frosting bakery croissant loaf knead vanilla cinnamon pie"
        ),
        "vegetables": (
            "vegan salad vegetables tofu lentils kale broccoli beans chickpeas spinach quinoa"
            " hummus avocado carrot mushroom vegetarian roasted lettuce pumpkin courgette leek"
        ),
        "barbecue": (
            "barbecue grill steak burger ribs smoke charcoal meat beef sausage brisket bacon"
            " marinade sauce pork wings skewer juicy tender smoker chops hotdog spicy"
        ),
    },
    "drinks": {
        "coffee": (
            "coffee espresso latte barista beans caffeine roast brew cappuccino mug cafe"
            " cafe\u0301 filter grinder decaf aroma mocha crema beanery frappe ristretto instant"
            " americano"
        ),
        "tea": (
            "tea matcha kettle teapot chai oolong leaves herbal camomile steep earl infusion cup"
            " biscuit jasmine peppermint honey teabag saucer rooibos ceremony green teahouse"
        ),
        "wine": (
            "wine vineyard grapes red cellar bottle cork merlot tasting vintage rose champagne"
            " riesling sommelier glass bouquet tannins decanter winery pinot oak harvest prosecco"
        ),
    },
    "music": {
        "jazz": (
            "jazz saxophone trumpet swing blues improvise bebop quartet piano solo trombone"
            " bassist coltrane syncopated bigband scat smooth lounge brass groove nightclub"
            " clarinet"
        ),
        "rock": (
            "rock guitar band drums concert riff amp metal punk festival singer encore vinyl"
            " grunge mosh tour stage bass loud distortion headliner chords frontman"
        ),
        "orchestra": (
            "orchestra symphony violin conductor cello opera mozart concerto sonata beethoven"
            " aria soprano flute choir bach philharmonic overture strings oboe maestro quartetto"
            " chamber tenor"
        ),
    },
    "sport": {
        "football": (
            "football goal match striker penalty league goalkeeper referee team derby coach"
            " kickoff stadium midfielder offside transfer champions fans cup defender header pitch"
            " corner"
        ),
        "tennis": (
            "tennis serve racket court wimbledon ace volley backhand set tiebreak forehand"
            " grandslam umpire net deuce lob clay doubles baseline rally topspin smash seed"
        ),
        "running": (
            "running marathon miles runner jog pace race trail finish training sneakers sprint"
            " strides medal treadmill lap ultramarathon stamina tempo 10k hydration shoes blister"
        ),
    },
    "outdoors": {
        "cycling": (
            "cycling bike bicycle pedal helmet ride saddle peloton wheels chain gears tyre"
            " puncture handlebar cyclist commute gravel brakes lycra uphill velodrome spokes"
            " tandem"
        ),
        "hiking": (
            "hiking mountain summit trek backpack peak camp tent valley climb path forest map"
            " waterfall wilderness campfire ridge compass hut scenery altitude lake trailhead"
        ),
        "surfing": (
            "surf waves board wetsuit beach swell ocean surfer tide barrel reef paddle wax"
            " longboard wipeout shore point saltwater lineup coast shortboard lagoon foam"
        ),
    },
    "politics": {
        "elections": (
            "election vote ballot candidate poll campaign voters party debate democracy turnout"
            " polling senator mayor constituency primaries landslide majority swing president"
            " manifesto exit recount"
        ),
        "transport": (
            "train bus rail metro traffic tram fares station delay commuters timetable subway"
            " passengers platform infrastructure carriage congestion underground cancelled strike"
            " ticket junction bridge"
        ),
        "climate": (
            "climate carbon emissions warming renewable solar planet fossil greenhouse energy"
            " sustainability pollution activists recycling turbines methane footprint temperature"
            " plastic protest glaciers conservation green"
        ),
    },
    "tech": {
        "phones": (
            "phone battery smartphone app screen android charger camera update iphone"
            " notifications selfie tablet bluetooth gadget earbuds case storage signal charging"
            " wifi widget pixel"
        ),
        "coding": (
            "code python programming bug software developer compiler debugging function database"
            " deploy javascript algorithm server git refactor tests syntax keyboard commit loops"
            " recursion terminal"
        ),
        "robots": (
            "robot ai automation drone sensors machine neural android autonomous learning chatbot"
            " lidar actuator robotics gripper model prompts intelligence humanoid dataset circuits"
            " training servo"
        ),
    },
    "space": {
        "rockets": (
            "rocket launch orbit astronaut spacecraft nasa booster capsule satellite liftoff"
            " thruster payload countdown spacex mission crew module docking propellant spacewalk"
            " shuttle landing reentry"
        ),
        "stars": (
            "stars telescope galaxy planet astronomy nebula moon comet constellation supernova"
            " jupiter saturn eclipse meteor cosmos milky universe hubble orion lunar observatory"
            " lightyears quasar"
        ),
        "physics": (
            "physics quantum particle electron gravity photon relativity atom einstein experiment"
            " neutrino boson theory collider entropy laser proton wavelength vacuum equation"
            " hadron fusion spin"
        ),
    },
    "travel": {
        "cities": (
            "city hotel museum tourist skyline paris sightseeing metro landmark london rome"
            " cathedral boulevard hostel citybreak tokyo architecture souvenir guidebook square"
            " gallery rooftop tower"
        ),
        "flights": (
            "airport plane boarding luggage flight passport gate pilot airline departure layover"
            " cabin suitcase runway turbulence jetlag visa stewardess terminal seatbelt customs"
            " arrival lounge"
        ),
        "islands": (
            "island beach palm tropical snorkel coconut hammock lagoon resort sand paradise"
            " cruise ferry coral bali turquoise hawaii sarong caribbean villa maldives sunbathing"
            " cocktail"
        ),
    },
    "books": {
        "novels": (
            "novel book author reading chapter library plot fiction bookshop character bookworm"
            " paperback storytelling publisher literary bestseller sequel page kindle narrator"
            " protagonist prose booker"
        ),
        "poetry": (
            "poem poetry verse rhyme haiku poet stanza sonnet metaphor lyric ballad couplet"
            " recital anthology imagery elegy limerick meter laureate spoken lines ode muse"
        ),
        "history": (
            "history ancient medieval roman empire king castle archive war egypt pharaoh"
            " archaeology century dynasty viking historian emperor ruins pyramid treaty knights"
            " relic tudor"
        ),
    },
    "health": {
        "yoga": (
            "yoga meditation breathe mindfulness stretch pose calm lotus relax vinyasa namaste"
            " flexibility zen wellness mat chakra serenity inhale gratitude balance retreat"
            " savasana posture"
        ),
        "gym": (
            "gym workout lifting squat muscle weights deadlift protein fitness biceps reps"
            " trainer bench barbell dumbbell cardio strength gains abs plank kettlebell pushups"
            " sweat"
        ),
        "sleep": (
            "sleep insomnia nap bed pillow dream tired awake snoring blanket bedtime mattress"
            " alarm melatonin drowsy midnight nightmare snooze restless pyjamas yawning rested"
            " duvet"
        ),
    },
    "money": {
        "stocks": (
            "stocks market shares investors dividend portfolio trading earnings bull bear fund"
            " index wallstreet volatility broker equity nasdaq bonds rally hedge ticker valuation"
            " crash"
        ),
        "crypto": (
            "bitcoin crypto blockchain ethereum token wallet mining coin ledger decentralised nft"
            " defi altcoin staking hodl exchange doge halving satoshi web3 airdrop stablecoin hash"
        ),
        "housing": (
            "house rent mortgage landlord apartment tenant property estate lease deposit flatmate"
            " realtor buyers housing renovation viewing neighbours bedroom condo evicted listing"
            " basement loan"
        ),
    },
    "garden": {
        "flowers": (
            "flowers roses tulips bloom bouquet petals daffodil garden orchid blossom lavender"
            " sunflower peony florist lily daisy dahlia iris pollen scent wildflower violets stem"
        ),
        "allotment": (
            "allotment tomatoes seeds compost soil harvest potatoes greenhouse sow raised plot"
            " cucumber seedlings manure weeds spade rhubarb beetroot watering peas mulch trowel"
            " slugs"
        ),
        "houseplants": (
            "houseplant monstera succulent cactus pot fern leaves repot philodendron windowsill"
            " propagate aloe pothos terracotta cuttings foliage roots bonsai drainage misting ivy"
            " calathea sill"
        ),
    },
    "film": {
        "cinema": (
            "film cinema movie director oscar actor screenplay trailer popcorn scene premiere"
            " hollywood actress screening cinematography blockbuster noir festival sequel cannes"
            " documentary credits cast"
        ),
        "series": (
            "episode season series finale netflix binge streaming sitcom showrunner spoilers"
            " pilot cliffhanger drama hbo rewatch cancelled remote detective renewed channel"
            " plotline subtitle recap"
        ),
        "horror": (
            "horror scary ghost zombie haunted vampire monster scream creepy slasher werewolf"
            " demon spooky halloween exorcist gore cursed chills undead possessed gothic jumpscare"
            " witch"
        ),
    },
    "games": {
        "videogames": (
            "game console playstation xbox nintendo gamer controller level quest multiplayer rpg"
            " zelda speedrun boss respawn loot arcade esports minecraft joystick mario steam"
            " pixelart"
        ),
        "chess": (
            "chess checkmate queen bishop pawn knight gambit grandmaster rook opening board king"
            " castling blitz endgame stalemate kasparov sicilian elo tactics sacrifice pieces"
            " tournament"
        ),
        "boardgames": (
            "boardgame dice tabletop cards catan meeple puzzle scrabble dungeon monopoly jigsaw"
            " strategy token deck players expansion carcassonne domino rulebook gamenight trivia"
            " pandemic risk"
        ),
    },
    "fashion": {
        "clothes": (
            "dress fashion outfit style jacket wardrobe denim designer jeans runway blouse skirt"
            " vintage tailor coat trend couture accessories sweater silk catwalk stylist linen"
        ),
        "makeup": (
            "makeup lipstick skincare mascara eyeliner foundation beauty concealer moisturiser"
            " blush serum palette lashes cosmetics eyeshadow cleanser glow brows retinol gloss"
            " toner perfume nails"
        ),
        "knitting": (
            "knitting yarn wool crochet needles sweater stitch pattern sewing quilt skein"
            " cardigan purl fabric thread embroidery cable beanie loom gauge merino mitten hem"
        ),
    },
    "family": {
        "babies": (
            "baby newborn toddler diaper crib pram mum teething naptime parents lullaby milk"
            " pregnancy nursery giggle crawling midwife cuddle bottle babysitter dummy burp onesie"
        ),
        "school": (
            "school teacher homework pupils classroom exam lesson maths grades students principal"
            " lunchbox pencil term essay curriculum textbook spelling recess graduation detention"
            " backpack uniform"
        ),
        "weddings": (
            "wedding bride groom engaged marriage vows bridesmaid ring proposal honeymoon"
            " ceremony bestman bouquet reception fiancee anniversary venue husband wife confetti"
            " veil toast aisle"
        ),
    },
    "work": {
        "office": (
            "office meeting boss colleagues deadline email spreadsheet desk presentation manager"
            " remote agenda zoom calendar printer monday coworker slides overtime memo slack"
            " minutes promotion"
        ),
        "jobs": (
            "job interview hiring resume career recruiter salary vacancy application applicants"
            " internship linkedin employer unemployed cv references onboarding layoffs freelance"
            " qualified headhunter role payroll"
        ),
        "startups": (
            "startup founder venture pitch investor funding product customers entrepreneur growth"
            " unicorn accelerator pivot seed revenue mvp cofounder runway incubator disruption"
            " bootstrap saas launch"
        ),
    },
    "pets": {
        "dogs": (
            "dog puppy bark leash walkies labrador tail fetch paws poodle kennel collar retriever"
            " treat woof fur terrier beagle bone corgi dachshund vet spaniel"
        ),
        "cats": (
            "cat kitten purr meow whiskers litter tabby paw scratching feline furball catnip"
            " claws siamese mouse hairball cuddly stray windowsill ginger curious pounce tuxedo"
        ),
        "fishtanks": (
            "aquarium fish tank goldfish guppy betta shrimp filter tetra coral clownfish snails"
            " algae fins aquascape cichlid gravel gills bubbles pleco koi pond fishkeeping"
        ),
    },
    "art": {
        "painting": (
            "painting canvas brush watercolour artist acrylic easel oil gallery portrait palette"
            " landscape monet sketch exhibition impressionist mural strokes pigment gouache"
            " picasso framing studio"
        ),
        "photos": (
            "photo camera lens photographer portrait aperture exposure tripod shutter film"
            " darkroom focus lightroom bokeh macro nikon canon flash landscape composition editing"
            " polaroid zoom"
        ),
        "pottery": (
            "pottery clay kiln glaze ceramics bowl wheel potter mug vase porcelain stoneware"
            " handmade throwing bisque earthenware sculpt studio slab firing teacup slip raku"
        ),
    },
    "sea": {
        "sailing": (
            "sailing boat yacht sail captain harbour anchor regatta mast deck crew knots marina"
            " rudder skipper nautical keel spinnaker dinghy jib hull rigging windward"
        ),
        "whales": (
            "whale dolphin orca humpback ocean pod breach blowhole marine seal porpoise krill"
            " sperm sightings beluga sonar baleen migration fluke calf narwhal deepsea manatee"
        ),
        "angling": (
            "fishing rod trout bait catch salmon river angler hook lure carp reel bass pike"
            " tackle cast tight perch line flyfishing lake net waders"
        ),
    },
    "motors": {
        "cars": (
            "car engine driving electric tesla garage horsepower vintage mechanic tyres road"
            " brakes convertible ferrari dashboard gearbox porsche fuel hybrid exhaust bmw mileage"
            " bonnet"
        ),
        "racing": (
            "formula lap verstappen grandprix podium pitstop circuit qualifying mclaren pole"
            " hamilton overtaking grid racing chequered paddock tyre silverstone monaco chassis"
            " downforce steward apex"
        ),
        "motorbikes": (
            "motorbike motorcycle harley rider helmet throttle ducati biker leather sidecar"
            " clutch scooter yamaha cruiser exhaust chopper touring kawasaki handlebars vespa"
            " twisties superbike wheelie"
        ),
    },
    "mind": {
        "psychology": (
            "psychology therapy anxiety emotions therapist brain behaviour habits memory"
            " cognitive trauma empathy personality stress freud bias motivation counselling"
            " introvert attachment mindset burnout feelings"
        ),
        "philosophy": (
            "philosophy stoic ethics plato truth existence kant consciousness wisdom nietzsche"
            " logic socrates reason virtue metaphysics freedom aristotle moral meaning seneca"
            " absurd camus paradox"
        ),
        "languages": (
            "language grammar vocabulary fluent translate pronunciation verbs accent bilingual"
            " spanish linguistics dialect duolingo idiom alphabet mandarin phrases etymology"
            " conjugation native syllable learner polyglot"
        ),
    },
}
"""Theme -> topic -> its words, parted by spaces."""

TOPICS: tuple[str, ...] = tuple(topic for topics in THEMES.values() for topic in topics)
"""Every topic's name, in order; a topic's number is its place here."""

DERIVED = (
    "fan|club|talk|time|lover|news|tips|life|crew|world|show|shop|day|lab|house|hub|week|land|"
    "mania|box|fest|corner|expert|diary|nerd|school|night|maker|trip|works|dream|story|zone|craft|"
    "spotter|room|guide|mate|ville"
)
"""What makes a rarer word out of a topic's own: "jazz" becomes "jazztalk"."""
