"""The words of SVG that draw something: elements and attributes of SVG 1.0 to 2, Tiny 1.2, Filter Effects, Masking, Animation.

An element or attribute that does not stand here draws nothing in any program, and goes.
"""

from __future__ import annotations

from typing import Final

SVG: Final = b"http://www.w3.org/2000/svg"
XLINK: Final = b"http://www.w3.org/1999/xlink"
XML: Final = b"http://www.w3.org/XML/1998/namespace"

ELEMENTS: Final = frozenset(
    b"""svg g defs symbol use switch a view image style
    path rect circle ellipse line polyline polygon
    text tspan tref textPath altGlyph altGlyphDef altGlyphItem glyphRef textArea tbreak
    flowRoot flowRegion flowRegionExclude flowPara flowSpan flowDiv flowLine flowTref
    marker linearGradient radialGradient stop pattern mesh meshgradient meshGradient meshrow meshRow meshpatch meshPatch
    hatch hatchpath hatchPath solidcolor solidColor
    clipPath mask filter feBlend feColorMatrix feComponentTransfer feComposite feConvolveMatrix feDiffuseLighting
    feDisplacementMap feDistantLight feDropShadow feFlood feFuncA feFuncB feFuncG feFuncR feGaussianBlur feImage feMerge
    feMergeNode feMorphology feOffset fePointLight feSpecularLighting feSpotLight feTile feTurbulence
    font font-face font-face-src font-face-name font-face-format font-face-uri glyph missing-glyph hkern vkern definition-src
    color-profile cursor animate animateColor animateMotion animateTransform mpath set discard""".split()
)
TEXTUAL: Final = frozenset(
    b"text textArea tref altGlyph flowRoot flowPara flowDiv flowLine flowRegion".split()
)  # in which letters are drawn
ANIMATIONS: Final = frozenset(b"animate animateColor animateMotion animateTransform set discard".split())

# Elements that go, and why; every other one that is not listed above is an editor's.
REMOVED: Final = {
    b"script": "svg.script",
    b"handler": "svg.script",
    b"listener": "svg.script",
    b"title": "svg.description",
    b"desc": "svg.description",
    b"metadata": "svg.metadata",
    b"foreignObject": "svg.foreign-object",
    b"audio": "svg.foreign-object",
    b"video": "svg.foreign-object",
    b"animation": "svg.foreign-object",
    b"iframe": "svg.foreign-object",
    b"canvas": "svg.foreign-object",
    b"prefetch": "svg.foreign-object",
}

_GEOMETRY: Final = b"""x y x1 y1 x2 y2 cx cy r rx ry fx fy fr dx dy d points width height viewBox preserveAspectRatio transform
    gradientTransform gradientUnits patternTransform patternUnits patternContentUnits spreadMethod offset pathLength rotate
    clipPathUnits maskUnits maskContentUnits filterUnits primitiveUnits filterRes markerUnits markerWidth markerHeight refX refY
    orient method spacing startOffset side textLength lengthAdjust path z pitch hatchUnits hatchContentUnits hatchTransform
    zoomAndPan viewTarget version baseProfile snapshotTime playbackOrder timelineBegin
    externalResourcesRequired requiredFeatures requiredExtensions requiredFormats requiredFonts systemLanguage
    href id class style type media lang target crossorigin fetchpriority decoding"""
_PRESENTATION: Final = b"""alignment-baseline background baseline-shift clip clip-path clip-rule color color-interpolation
    color-interpolation-filters color-profile color-rendering cursor direction display dominant-baseline enable-background fill
    fill-opacity fill-rule filter flood-color flood-opacity font font-family font-feature-settings font-kerning font-size
    font-size-adjust font-stretch font-style font-variant font-variant-caps font-variant-east-asian font-variant-ligatures
    font-variant-numeric font-variant-position font-variation-settings font-weight glyph-orientation-horizontal
    glyph-orientation-vertical image-rendering inline-size isolation kerning letter-spacing lighting-color line-height
    line-increment marker marker-end marker-mid marker-start mask mask-type mix-blend-mode opacity overflow paint-order
    pointer-events shape-inside shape-margin shape-padding shape-rendering shape-subtract solid-color solid-opacity stop-color
    stop-opacity stroke stroke-dasharray stroke-dashoffset stroke-linecap stroke-linejoin stroke-miterlimit stroke-opacity
    stroke-width text-align text-align-last text-anchor text-decoration text-decoration-color text-decoration-line
    text-decoration-style text-indent text-orientation text-overflow text-rendering transform-box transform-origin unicode-bidi
    vector-effect viewport-fill viewport-fill-opacity visibility white-space word-spacing writing-mode display-align
    audio-level buffered-rendering"""
_FILTERS: Final = b"""in in2 result mode values tableValues slope intercept amplitude exponent operator k1 k2 k3 k4 order
    kernelMatrix divisor bias targetX targetY edgeMode kernelUnitLength preserveAlpha surfaceScale diffuseConstant
    specularConstant specularExponent limitingConeAngle pointsAtX pointsAtY pointsAtZ azimuth elevation scale xChannelSelector
    yChannelSelector stdDeviation radius baseFrequency numOctaves seed stitchTiles no-composite"""
_ANIMATION: Final = b"""attributeName attributeType begin dur end min max restart repeatCount repeatDur fill calcMode keyTimes
    keySplines keyPoints from to by additive accumulate origin"""
_FONTS: Final = b"""horiz-origin-x horiz-origin-y horiz-adv-x vert-origin-x vert-origin-y vert-adv-y unicode glyph-name
    arabic-form g1 g2 u1 u2 k unicode-range units-per-em panose-1 stemv stemh slope cap-height x-height accent-height
    ascent descent widths bbox ideographic alphabetic mathematical hanging
    v-ideographic v-alphabetic v-mathematical v-hanging underline-position
    underline-thickness strikethrough-position strikethrough-thickness overline-position overline-thickness string glyphRef
    format name local rendering-intent"""
ATTRIBUTES: Final = frozenset(b" ".join((_GEOMETRY, _PRESENTATION, _FILTERS, _ANIMATION, _FONTS)).split())
# Attributes that say nothing on the outermost element (SVG 1.1 5.1.2, 7.8): every value, or the one that holds anyway.
IDLE_ON_ROOT: Final = {
    b"x": None,
    b"y": None,
    b"overflow": frozenset((b"visible",)),
    b"preserveAspectRatio": frozenset((b"xMidYMid", b"xMidYMid meet")),
}
LINK_ATTRIBUTES: Final = {
    b"href": frozenset[bytes](),
    b"type": frozenset((b"simple", b"extended", b"locator", b"arc")),
    b"show": frozenset((b"embed", b"new", b"replace", b"other", b"none")),
    b"actuate": frozenset((b"onLoad", b"onRequest", b"other", b"none")),
}
XML_ATTRIBUTES: Final = frozenset((b"space", b"lang", b"id"))
DESCRIPTIVE: Final = (b"aria-", b"role", b"alt", b"title", b"xlink:title", b"xlink:role", b"xlink:arcrole", b"aria")
ANIMATABLE_REFERENCES: Final = frozenset((b"href", b"xlink:href", b"style", b"src"))

# Document types of the W3C, which say nothing about this drawing.
PUBLIC: Final = (b"-//W3C//DTD SVG ",)
SYSTEM: Final = (b"http://www.w3.org/", b"https://www.w3.org/")
