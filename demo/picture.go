package main

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math"
)

// sunrise is a child's drawing: the sun over the hills and a red house.
func sunrise() ([]byte, error) {
	const width, height = 640, 480
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			sky := min(235, 140+y/3)
			c := color.RGBA{uint8(sky), uint8(sky + 20), 250, 255}
			switch fx, fy := float64(x), float64(y); {
			case fy > 340+40*math.Sin(fx/90):
				c = color.RGBA{92, 150, 84, 255}
			case fy > 300+30*math.Sin(fx/140+2):
				c = color.RGBA{128, 176, 110, 255}
			case math.Hypot(fx-480, fy-130) < 60:
				c = color.RGBA{250, 206, 80, 255}
			}
			switch {
			case x > 120 && x < 260 && y > 250 && y < 370:
				c = color.RGBA{168, 58, 48, 255}
				if x > 175 && x < 205 && y > 310 || x > 222 && x < 246 && y > 275 && y < 300 {
					c = color.RGBA{245, 240, 228, 255}
				}
			case y > 190 && y <= 250 && x > 190-(y-190)*3/2 && x < 190+(y-190)*3/2:
				c = color.RGBA{70, 66, 70, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	var out bytes.Buffer
	err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 80})
	return out.Bytes(), err
}
